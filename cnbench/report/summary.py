"""The summary: the headline figures of every experiment, and what has no result and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cnbench.analysis.chapters import Chapter, ChapterEntry
from cnbench.core.run import CaseResult
from cnbench.core.units import format_count
from cnbench.report.lines import Line, Scale, line_of
from cnbench.report.multiples import Card, cards_of

# A tool's last words are at the end of what it said.
_LONGEST_STDERR = 2000


@dataclass(frozen=True)
class Overview:
    """The headline metric of one experiment, on one clock: one line a case.

    ``apart`` is what these cases have in common, but not with the experiment's others.
    """

    experiment: str
    metric: str
    summary: str
    better: str
    clock: str
    apart: str
    parameters: tuple[str, ...]
    has_origins: bool
    scale: str
    lines: tuple[Line, ...]
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Trouble:
    """Cases that have no result for the same reason."""

    status: str
    experiment: str
    reason: str
    remedy: str
    cases: tuple[str, ...]
    said: str

    @property
    def count(self) -> str:
        """How many there are."""
        return format_count(len(self.cases), "case")


def overviews_of(chapter: Chapter) -> list[Overview]:
    """The summary of a chapter: a table for each kind of case, by its first metric."""
    return [_overview(chapter, kind) for kind in chapter.kinds()]


def _overview(chapter: Chapter, kind: Chapter) -> Overview:
    metric = kind.record.metrics[0]
    shown = [(entry, row) for entry in kind.ok if (row := entry.row(metric.name)) is not None]
    scale = Scale.of([row for _, row in shown])
    lines = tuple(line_of(kind, entry, row, scale) for entry, row in shown)
    return Overview(
        experiment=chapter.name,
        metric=metric.name,
        summary=metric.summary,
        better="closer to zero" if metric.better == "zero" else metric.better,
        clock=kind.origins[0].clock,
        apart=chapter.what_sets_apart(kind),
        parameters=tuple(kind.varying),
        has_origins=len(kind.origins) > 1,
        scale=scale.words if scale else "",
        lines=lines,
        cards=cards_of(lines, kind.varying, kind.record.variant) if scale else (),
    )


def troubles_of(chapters: Iterable[Chapter]) -> list[Trouble]:
    """What has no result, by reason; failed before unsupported, the most frequent first."""
    alike: dict[tuple[str, str, str, str], list[tuple[Chapter, ChapterEntry]]] = {}
    for chapter in chapters:
        for entry in chapter.measured:
            result = entry.result
            if not entry.ok:
                reason = result.reason or "it has no samples"
                key = (result.status, chapter.name, reason, result.remedy)
                alike.setdefault(key, []).append((chapter, entry))
    troubles = [
        Trouble(
            status if status != "ok" else "empty",
            experiment,
            reason,
            remedy,
            tuple(case_and_place(chapter, entry) for chapter, entry in ones),
            next((said for _, entry in ones if (said := _last_words(entry.result))), ""),
        )
        for (status, experiment, reason, remedy), ones in alike.items()
    ]
    return sorted(troubles, key=lambda t: (t.status != "failed", -len(t.cases)))


def case_and_place(chapter: Chapter, entry: ChapterEntry) -> str:
    """The short name of a case, with the place where there is more than one."""
    place = chapter.origin_label(entry.origin)
    return f"{chapter.label(entry.case)} ({place})" if place else chapter.label(entry.case)


def _last_words(result: CaseResult) -> str:
    if not result.stderr and result.exit_status is None:
        return ""
    said = result.stderr.strip()
    if len(said) > _LONGEST_STDERR:
        said = f"… (all of it is in the run file)\n{said[-_LONGEST_STDERR:]}"
    status = "" if result.exit_status is None else f"exit status {result.exit_status}\n"
    return status + said
