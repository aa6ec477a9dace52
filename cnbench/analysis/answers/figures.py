"""The figures that answers show.

A quotient is of the cases' own blocks where they shared them, and marked as unpaired where not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from cnbench.analysis.answers.answer import Part, Show
from cnbench.analysis.answers.cases import Picked
from cnbench.analysis.chapters import ChapterEntry
from cnbench.analysis.number_format import span
from cnbench.analysis.observed import in_shared_blocks, observed_differences
from cnbench.analysis.rows import Row
from cnbench.core.errors import CnbenchError
from cnbench.core.units import FRACTION, format_quantity, format_times
from cnbench.stats.cases import CostsBySize
from cnbench.stats.crossover import reached
from cnbench.stats.effects import Effect, effect_between_runs, effect_in_blocks
from cnbench.stats.intervals import Interval
from cnbench.stats.scaling import power_law

# A factor from here on reads better as one than as a percentage.
_A_FACTOR = 2.0

# One figure of what was picked, or None where a case that it needs is missing.
Figure = Callable[[Picked], Part | None]


def value(metric: str, *labels: str, named: str = "") -> Show:
    """The metric of each label (of all, without ``labels``).

    It is called by its label, or ``named``, in which the label takes the place of ``{}``.
    """

    def show(picked: Picked) -> Iterator[Part]:
        for label in labels or picked.measured:
            row = _row(picked, label, metric)
            if row is not None and row.interval is not None:
                yield _part(named.format(label) or label, row.interval, row)

    return show


def of(metric: str, label: str) -> Figure:
    """The metric of one label, called by both."""

    def figure(picked: Picked) -> Part | None:
        return next(iter(value(metric, label, named=f"{metric}, {label}")(picked)), None)

    return figure


def ratio(metric: str, over: str, under: str) -> Figure:
    """The metric of one label over that of another."""
    return over_other(metric, over, metric, under, called=f"{over} over {under}")


def over_other(metric: str, label: str, other: str, under: str, called: str = "") -> Figure:
    """A metric of one label over another metric of another label, or of the same."""

    def figure(picked: Picked) -> Part | None:
        above, below = _row(picked, label, metric), _row(picked, under, other)
        if above is None or below is None:
            return None
        effect, paired = _effect(picked.measured[under], below, picked.measured[label], above)
        return _ratio_part(called or f"{metric} over {other}", effect.on("ratio"), paired)

    return figure


def difference(metric: str, over: str, under: str) -> Figure:
    """By how much the metric of one label is above that of another, or further from zero."""

    def figure(picked: Picked) -> Part | None:
        above, below = _row(picked, over, metric), _row(picked, under, metric)
        if above is None or below is None:
            return None
        # In the metric's unit, whatever the scale on which it is compared.
        below, above = (
            replace(row, metric=replace(row.metric, scale="additive")) for row in (below, above)
        )
        effect, paired = _effect(picked.measured[under], below, picked.measured[over], above)
        label = f"{over} less {under}"
        return _part(label, effect.on("additive"), above, signed=True, paired=paired)

    return figure


def exponent(metric: str, along: str) -> Figure:
    """The power of the parameter ``along`` with which the metric grows over all labels."""

    def figure(picked: Picked) -> Part | None:
        rows = [
            (float(entry.case.params[along]), row.values)
            for entry in picked.measured.values()
            if (row := entry.row(metric))
        ]
        sizes, values = [size for size, _ in rows], [each for _, each in rows]
        try:
            interval = power_law(sizes, values).exponent
        except CnbenchError:
            return None
        texts = [f"{each:.2f}" for each in (interval.estimate, interval.low, interval.high)]
        return Part("exponent", texts[0], _span(interval, *texts), interval)

    return figure


def size_at(metric: str, level: float, along: str, called: str) -> Figure:
    """The size ``along`` which the line through all that was measured has come to ``level``.

    ``level`` is in the metric's unit. Sizes that no label has count too, and the largest is told:
    the size may lie far beyond.
    """

    def figure(picked: Picked) -> Part | None:
        rows = [(entry, entry.row(metric)) for entry in picked.alike(along)]
        found = [(float(entry.case.params[along]), row.values) for entry, row in rows if row]
        try:
            costs = CostsBySize.of([size for size, _ in found], [values for _, values in found])
        except CnbenchError:
            return None
        size = reached(costs, level)
        if size is None:
            return None
        texts = [f"{each:,.0f}" for each in (size.estimate, size.low, size.high)]
        open_ended = size.high == math.inf and size.low > 0
        within = f"at least {texts[1]}" if open_ended else _span(size, *texts)
        told = f"{called} (by the line up to {max(costs.sizes):,.0f})"
        return Part(told, texts[0], within, size)

    return figure


def shown(*figures: Figure) -> Show:
    """These figures, of those cases that there are."""

    def show(picked: Picked) -> Iterator[Part]:
        return (part for figure in figures if (part := figure(picked)))

    return show


def outcome(*labels: str) -> Show:
    """Whether each label's case could be, in a word."""

    def show(picked: Picked) -> Iterator[Part]:
        for label in labels:
            if label in picked.measured:
                yield Part(label, "works")
            elif label in picked.others:
                yield Part(label, "fails")

    return show


def cheapest(metric: str, *labels: str) -> Callable[[Picked], str]:
    """Which label's metric is lowest, where its interval lies apart from all others'."""

    def remark(picked: Picked) -> str:
        found = {
            label: row.interval
            for label in labels or picked.measured
            if (row := _row(picked, label, metric)) and row.interval
        }
        if len(found) < 2:
            return ""
        best = min(found, key=lambda label: found[label].estimate)
        others = [interval.low for label, interval in found.items() if label != best]
        return f"{best} costs least" if found[best].high < min(others) else ""

    return remark


def percentage(quotient: float) -> str:
    """By how much a smaller quotient is off one."""
    return format_quantity(quotient - 1, FRACTION, signed=True)


def _effect(below: ChapterEntry, under: Row, above: ChapterEntry, over: Row) -> tuple[Effect, bool]:
    """The effect of one case's metric against another's, and whether they shared their blocks."""
    one = observed_differences(below.result.samples, under.metric)
    other = observed_differences(above.result.samples, over.metric)
    if below is above:
        return effect_in_blocks(one, other), True
    if below.result.group == above.result.group and under.metric == over.metric:
        shared = in_shared_blocks([below.result.samples, above.result.samples], over.metric)
        if shared[0].values.size:
            return effect_in_blocks(*shared), True
    return effect_between_runs(one, other), False


def _row(picked: Picked, label: str, metric: str) -> Row | None:
    entry = picked.measured.get(label)
    return entry.row(metric) if entry else None


def _ratio_part(label: str, interval: Interval, paired: bool) -> Part:
    shown_as = format_times if interval.estimate >= _A_FACTOR else percentage
    texts = [shown_as(each) for each in (interval.estimate, interval.low, interval.high)]
    return Part(label, texts[0], _span(interval, *texts), interval, "", paired)


def _part(
    label: str, interval: Interval, row: Row, *, signed: bool = False, paired: bool = True
) -> Part:
    signed = signed or row.metric.better == "zero"
    texts = [
        format_quantity(each, row.unit, signed=signed)
        for each in (interval.estimate, interval.low, interval.high)
    ]
    return Part(label, texts[0], _span(interval, *texts), interval, row.unit, paired)


def _span(interval: Interval, estimate: str, low: str, high: str) -> str:
    """Both ends, without the unit where it is the estimate's; nothing where all read the same."""
    if not interval.bounded:
        return "too few blocks"
    if low == estimate == high:
        return ""
    unit = estimate.lstrip("+-0123456789.")
    if unit and low.endswith(unit) and high.endswith(unit):
        return span(low.removesuffix(unit), high.removesuffix(unit))
    return span(low, high)
