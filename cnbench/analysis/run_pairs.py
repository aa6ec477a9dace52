"""Several runs in one report: compared where they are exactly comparable, else said why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnbench.analysis.chapters import Chapter, chapters_of, letter
from cnbench.analysis.compared import Compared
from cnbench.analysis.comparison import compare_runs
from cnbench.analysis.matching import environment_differences
from cnbench.analysis.number_format import NO_BOUND, median_text, minus, span
from cnbench.core.errors import CnbenchError
from cnbench.core.fingerprint import Difference
from cnbench.core.run import Run
from cnbench.core.units import FRACTION, format_quantity
from cnbench.stats.intervals import Interval


@dataclass(frozen=True)
class EffectLine:
    """One metric of one case in both runs."""

    experiment: str
    case: str
    metric: str
    before: str
    after: str
    effect: str
    interval: str
    verdict: str
    reason: str


@dataclass(frozen=True)
class RunPair:
    """Run A beside another one: their effects, or why there are none."""

    first: str
    other: str
    lines: tuple[EffectLine, ...]
    refused: str
    differences: tuple[Difference, ...]


def pairs_of(runs: Sequence[Run]) -> list[RunPair]:
    """The first run beside each of the others."""
    return [_pair(runs[0], other, letter(index + 1)) for index, other in enumerate(runs[1:])]


def _pair(first: Run, other: Run, name: str) -> RunPair:
    differences = tuple(d for d in environment_differences(first, other) if d.essential)
    try:
        compared = [] if differences else compare_runs(first, other, margin=None, force=False)
    except CnbenchError as error:
        return RunPair("A", name, (), str(error), differences)
    refused = "their environments differ in what could explain any effect" if differences else ""
    chapters = {chapter.name: chapter for chapter in chapters_of([first, other])}
    return RunPair(
        "A",
        name,
        tuple(_line(chapters, comparison) for comparison in compared),
        refused,
        differences,
    )


def _line(chapters: dict[str, Chapter], compared: Compared) -> EffectLine:
    chapter = chapters[compared.b.case.experiment]
    return EffectLine(
        experiment=chapter.name,
        case=chapter.label(compared.b.case),
        metric=compared.metric.name,
        before=median_text(compared.a),
        after=median_text(compared.b),
        effect=_show(compared, compared.effect.estimate),
        interval=_range(compared, compared.effect),
        verdict=compared.judgement.verdict.value,
        reason=compared.judgement.reason,
    )


def _show(compared: Compared, effect: float) -> str:
    if compared.metric.scale == "ratio":
        return minus(format_quantity(effect - 1, FRACTION, signed=True))
    return minus(format_quantity(effect, compared.b.unit, signed=True))


def _range(compared: Compared, effect: Interval) -> str:
    if not effect.bounded:
        return NO_BOUND
    return span(_show(compared, effect.low), _show(compared, effect.high))
