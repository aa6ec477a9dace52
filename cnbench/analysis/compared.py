"""One comparison, its verdict by itself, and its verdict as one of many."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cnbench.analysis.rows import Row, finite
from cnbench.core.metric import Metric
from cnbench.core.units import FRACTION, format_quantity
from cnbench.stats.arrays import Floats
from cnbench.stats.effects import Effect
from cnbench.stats.intervals import Interval
from cnbench.stats.many import LEVEL, holm
from cnbench.stats.verdict import Judgement, Verdict, judge

# The smallest effect that matters unless --fail-on says otherwise. Wall-clock medians of separate
# runs move by a per cent or two on shared machines; instruction counts do not.
DEFAULT_MARGIN: Mapping[str, float] = {"wall": 0.02, "instructions": 0.005}

# What nineteen of twenty pairs of runs without a difference stay below, where nothing tells better:
# no smaller effect is called unless --floor says otherwise. On the wall two runs of the same were
# 1 % apart (standard deviation) on shared machines, so a pair of them 2.8 % in one of twenty.
DEFAULT_FLOOR: Mapping[str, float] = {"wall": 0.03, "instructions": 0.002}

BETWEEN_RUNS = "between runs"
BETWEEN_SETUPS = "between set-ups"

WHAT_WOULD_TELL = {
    BETWEEN_RUNS: "repeated runs on both sides (cnbench run --repeat 3), eight earlier runs of"
    " this environment in the results folder, or compare --vary, where what runs differ by cancels",
    BETWEEN_SETUPS: "several set-ups a case",
}


@dataclass(frozen=True)
class Compared:
    """One metric of one case, in A and in B.

    Attributes:
        a: the case in A.
        b: the case in B.
        effect: B over A for a ratio metric and B minus A for an additive one.
        rests_on: what that was computed from, and whether it knows what another draw would change.
        noise: the larger of the two noise floors, None where neither is known.
        margin: the smallest effect that matters.
        unknown: what the interval does not contain, "between runs" or "between set-ups"; empty if
            nothing.
        p_value: of an effect no larger than the margin, or than what is assumed of the unknown.
        alone: the verdict on this comparison by itself.
        judgement: the verdict on it as one of many; see ``jointly``.
    """

    a: Row
    b: Row
    effect: Interval
    rests_on: Effect
    noise: float | None
    margin: float
    unknown: str
    p_value: float
    alone: Judgement
    judgement: Judgement

    @property
    def metric(self) -> Metric:
        """What was measured."""
        return self.a.metric

    @property
    def harm(self) -> float:
        """The effect in margins, more than nothing where B is worse: what to sort by.

        Effects of metrics on different scales and in different units have no other common measure.
        """
        effect, margin = self.effect.estimate, self.margin
        if self.metric.scale == "ratio":
            effect, margin = math.log(effect), math.log1p(margin)
        return (-effect if self.metric.better == "higher" else effect) / (margin or 1.0)

    @property
    def same_as(self) -> Hashable:
        """Equal for metrics of a case that are one another's multiples: one question, not two."""
        return (self.b.case.key, self.a.case.key, _shape(self.a.values), _shape(self.b.values))

    def as_json(self) -> dict[str, Any]:
        """B's row, with A's median, the effect, its interval and the verdict."""
        return self.b.as_json() | {
            "reference": self.a.as_json(),
            "ratio": finite(self.effect.estimate),
            "low": finite(self.effect.low),
            "high": finite(self.effect.high),
            "noise": finite(self.noise),
            "margin": self.margin,
            "drawn": self.rests_on.unit,
            "units": self.rests_on.units,
            "spread": finite(self.rests_on.spread),
            "autocorrelation": self.rests_on.autocorrelation,
            "unknown": self.unknown,
            "p_value": self.p_value,
            "verdict": self.judgement.verdict.value,
            "reason": self.judgement.reason,
        }


def judged(
    a: Row,
    b: Row,
    effect: Effect,
    unknown: str,
    margin: float | None,
    floor: float | None,
) -> Compared:
    """The comparison of two rows by ``effect``, which does not contain what is ``unknown``.

    ``margin`` and ``floor`` are as in ``comparison.compare_runs``.
    """
    metric = a.metric
    margin = DEFAULT_MARGIN[b.clock] if margin is None else margin
    floors = [row.noise for row in (a, b) if row.noise is not None]
    noise = max(floors, default=None)
    interval = effect.on(metric.scale)
    alone = judge(
        interval,
        margin=margin,
        noise=math.inf if noise is None else noise,
        scale=metric.scale,
        better=metric.better,
        unit=b.unit,
        counted=b.clock == "instructions",
    )
    apart = math.log1p(margin) if metric.scale == "ratio" else margin
    p_value = effect.p_beyond(apart)
    if unknown:
        assumed = _assumed(a, b, DEFAULT_FLOOR[b.clock] if floor is None else floor)
        p_value = effect.p_beyond(apart, assumed)
        if p_value > LEVEL:
            alone = _withheld(alone, effect, unknown, assumed, metric, b.unit)
    return Compared(a, b, interval, effect, noise, margin, unknown, p_value, alone, alone)


def _assumed(a: Row, b: Row, floor: float) -> float:
    """The floor on the scale of differences; that of an additive metric is a share of its size."""
    if a.metric.scale == "ratio":
        return math.log1p(floor)
    if a.metric.unit == FRACTION:
        return floor
    return floor * max(abs(row.interval.estimate) for row in (a, b) if row.interval)


def _shape(array: Floats) -> Hashable:
    """Values without their size: equal for multiples of each other."""
    largest = float(np.abs(array).max(initial=0.0))
    return np.round(array / largest, 9).tobytes() if largest else array.size


def jointly(compared: Sequence[Compared]) -> list[Compared]:
    """The comparisons, each with its verdict as one of all of these.

    Differences stand in the order of their p-values (Holm), so that the chance of any false "worse"
    or "better" among all of them is that of one comparison alone; what does not stand is
    inconclusive. Intervals, and what is equivalent, are each its own.
    """
    p_values: dict[Hashable, float] = {}
    for comparison in compared:
        p_values[comparison.same_as] = min(
            p_values.get(comparison.same_as, 1.0), comparison.p_value
        )
    standing = holm(p_values)
    return [
        replace(comparison, judgement=comparison.alone)
        if comparison.same_as in standing or comparison.alone.verdict not in _DIFFERENT
        else replace(comparison, judgement=_one_of_many(comparison, len(p_values)))
        for comparison in compared
    ]


def questions(compared: Sequence[Compared]) -> int:
    """How many different things were compared; multiples of one metric are one."""
    return len({comparison.same_as for comparison in compared})


def overall(compared: Sequence[Compared]) -> Verdict:
    """The verdict on all together: worse if any is, else inconclusive if any is, else the best."""
    verdicts = {comparison.judgement.verdict for comparison in jointly(compared)}
    for verdict in (Verdict.WORSE, Verdict.INCONCLUSIVE, Verdict.BETTER):
        if verdict in verdicts:
            return verdict
    return Verdict.EQUIVALENT


_DIFFERENT = (Verdict.WORSE, Verdict.BETTER)


def _one_of_many(comparison: Compared, count: int) -> Judgement:
    return Judgement(
        Verdict.INCONCLUSIVE,
        f"by itself {comparison.alone.verdict.value} (p = {comparison.p_value:.2g}), but of {count}"
        f" comparisons {count * LEVEL:.2g} would look so by chance; what would help: a comparison"
        " of this case alone, or more runs or blocks",
    )


def _withheld(
    alone: Judgement, effect: Effect, unknown: str, assumed: float, metric: Metric, unit: str
) -> Judgement:
    """``alone``, unless it calls an effect that what is unknown could be."""
    if alone.verdict not in _DIFFERENT:
        return alone
    show, size = (
        (effect.on("ratio").estimate - 1, math.expm1(assumed))
        if metric.scale == "ratio"
        else (effect.interval.estimate, assumed)
    )
    shown = FRACTION if metric.scale == "ratio" else unit
    return Judgement(
        Verdict.INCONCLUSIVE,
        f"{unknown}: unknown, and the effect of {format_quantity(show, shown, signed=True)} is not"
        f" beyond the margin by the {format_quantity(size, shown)} (--floor) that may be; what"
        f" would help: {WHAT_WOULD_TELL[unknown]}",
    )
