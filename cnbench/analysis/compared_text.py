"""Comparisons in words: what tells one from another, its effect, and what all of them rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnbench.analysis.compared import BETWEEN_RUNS, WHAT_WOULD_TELL, Compared, questions
from cnbench.analysis.number_format import NO_BOUND, minus, span, value_text
from cnbench.core.units import FRACTION, format_quantity
from cnbench.stats.many import LEVEL
from cnbench.stats.verdict import Verdict

# An autocorrelation that makes an interval a third wider, at least.
_LARGE_MEMORY = 0.3

Units = Mapping[str, Mapping[str, str]]


def points(compared: Sequence[Compared], units: Units) -> list[dict[str, str]]:
    """What each comparison is of: experiment, parameters, kernel if it is the same, and metric.

    A parameter that differs between A and B is both, ``20 → 46``.

    Args:
        compared: the comparisons.
        units: experiment to parameter to its unit.
    """
    return [_point(comparison, units[comparison.b.case.experiment]) for comparison in compared]


def _point(comparison: Compared, units: Mapping[str, str]) -> dict[str, str]:
    a, b = comparison.a.case, comparison.b.case
    point = {"experiment": b.experiment}
    for name in b.params:
        before, after = (value_text(case.params[name], units.get(name, "")) for case in (a, b))
        point[name] = after if before == after else f"{before} → {after}"
    if a.kernel == b.kernel != "":
        point["kernel"] = b.kernel
    return point | {"metric": comparison.metric.name}


def common(found: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What is the same in all of ``found``, by name."""
    first = found[0] if found else {}
    return {
        name: value
        for name, value in first.items()
        if all(point.get(name) == value for point in found)
    }


def effect_text(comparison: Compared) -> str:
    """The effect: ``+1.02 %``, or a difference in the metric's unit."""
    return _shown(comparison, comparison.effect.estimate)


def interval_text(comparison: Compared) -> str:
    """The effect's 95 % interval, or that it has no bound."""
    effect = comparison.effect
    if not effect.bounded:
        return NO_BOUND
    return span(_shown(comparison, effect.low), _shown(comparison, effect.high))


def _shown(comparison: Compared, effect: float) -> str:
    if comparison.metric.scale == "ratio":
        return minus(format_quantity(effect - 1, FRACTION, signed=True))
    return minus(format_quantity(effect, comparison.b.unit, signed=True))


def reasons(compared: Sequence[Compared]) -> list[str]:
    """Why what is inconclusive is so, each reason once."""
    left_open = (c.judgement for c in compared if c.judgement.verdict is Verdict.INCONCLUSIVE)
    return list(dict.fromkeys(judgement.reason for judgement in left_open))


def unknowns(compared: Sequence[Compared]) -> list[tuple[str, str]]:
    """What the intervals do not contain, in a word, and what a reader must know of it."""
    return [
        (
            unknown,
            f"The intervals marked * are what the blocks of these"
            f" {'runs' if unknown == BETWEEN_RUNS else 'set-ups'} tell, and another draw may lie"
            f" outside; what would tell: {WHAT_WOULD_TELL[unknown]}",
        )
        for unknown in dict.fromkeys(c.unknown for c in compared if c.unknown)
    ]


def notes(compared: Sequence[Compared]) -> list[str]:
    """What else every reader of these intervals must know, a sentence each."""
    said = []
    remembering = [c for c in compared if c.rests_on.autocorrelation >= _LARGE_MEMORY]
    if remembering:
        most = max(comparison.rests_on.autocorrelation for comparison in remembering)
        said.append(
            f"Blocks resemble their neighbours in {len(remembering)} of {len(compared)} lines"
            f" (autocorrelation up to {most:.1f}), so that fewer of them count"
        )
    if any(c.rests_on.repeats_alone and c.b.case.clock == "wall" for c in compared):
        said.append(
            "What runs differ by is known from their own repeats alone. Repeats that followed each"
            " other tell nothing of what changes over minutes; five earlier runs of as many would"
        )
    count = questions(compared)
    if count > 1:
        said.append(
            f"Of {count} intervals of 95 % {count * LEVEL:.2g} miss by chance; better and worse"
            f" are called so that the chance of any false one is {LEVEL:.0%} for all together"
        )
    return said
