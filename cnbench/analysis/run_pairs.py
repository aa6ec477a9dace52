"""Several runs in one report: compared where they are exactly comparable, else said why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnbench.analysis.chapters import Chapter, chapters_of, letter
from cnbench.analysis.compared import Compared
from cnbench.analysis.compared_text import effect_text, interval_text
from cnbench.analysis.comparison import compare_runs
from cnbench.analysis.matching import environment_differences
from cnbench.analysis.number_format import median_text
from cnbench.core.errors import CnbenchError
from cnbench.core.fingerprint import Difference
from cnbench.core.run import Run


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
        effect=effect_text(compared),
        interval=interval_text(compared),
        verdict=compared.judgement.verdict.value,
        reason=compared.judgement.reason,
    )
