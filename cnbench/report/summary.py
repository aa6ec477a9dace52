"""The summary: the headline figures of every experiment, and what has no result and why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnbench.analysis.chapters import Chapter, Measured
from cnbench.analysis.number_format import count_text, interval_text, median_text, noise_text, span
from cnbench.analysis.rows import Row
from cnbench.core.proof import Check
from cnbench.core.run import CaseResult
from cnbench.report.plots.axes import WIDE

# A tool's last words are at the end of what it said.
_LONGEST_STDERR = 2000


@dataclass(frozen=True)
class Strip:
    """Where an interval and its median lie, in percent of a scale that a table's rows share."""

    low: float
    middle: float
    high: float
    zero: float | None
    bounded: bool


@dataclass(frozen=True)
class Line:
    """One case in the summary."""

    params: tuple[str, ...]
    place: str
    median: str
    interval: str
    strip: Strip | None
    noise: str
    blocks: int
    disturbed: int
    replaced: int
    proven: bool
    checks: tuple[Check, ...]


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
    has_places: bool
    scale: str
    lines: tuple[Line, ...]


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
        return count_text(len(self.cases), "case")


def overviews_of(chapter: Chapter) -> list[Overview]:
    """The summary of a chapter: a table for each kind of case, by its first metric."""
    return [_overview(chapter, kind) for kind in chapter.kinds()]


def _overview(chapter: Chapter, kind: Chapter) -> Overview:
    metric = kind.record.metrics[0]
    shown = [(one, row) for one in kind.ok if (row := one.row(metric.name)) is not None]
    scale = _Scale.of([row for _, row in shown])
    return Overview(
        experiment=chapter.name,
        metric=metric.name,
        summary=metric.summary,
        better="closer to zero" if metric.better == "zero" else metric.better,
        clock=kind.places[0].clock,
        apart=chapter.what_sets_apart(kind),
        parameters=tuple(kind.varying),
        has_places=len(kind.places) > 1,
        scale=scale.words if scale else "",
        lines=tuple(_line(kind, one, row, scale) for one, row in shown),
    )


def troubles_of(chapters: Iterable[Chapter]) -> list[Trouble]:
    """What has no result, by reason; failed before unsupported, the most frequent first."""
    alike: dict[tuple[str, str, str, str], list[tuple[Chapter, Measured]]] = {}
    for chapter in chapters:
        for one in chapter.measured:
            result = one.result
            if not one.ok:
                reason = result.reason or "it has no samples"
                key = (result.status, chapter.name, reason, result.remedy)
                alike.setdefault(key, []).append((chapter, one))
    troubles = [
        Trouble(
            status if status != "ok" else "empty",
            experiment,
            reason,
            remedy,
            tuple(case_and_place(chapter, one) for chapter, one in ones),
            next((said for _, one in ones if (said := _last_words(one.result))), ""),
        )
        for (status, experiment, reason, remedy), ones in alike.items()
    ]
    return sorted(troubles, key=lambda t: (t.status != "failed", -len(t.cases)))


def case_and_place(chapter: Chapter, one: Measured) -> str:
    """The short name of a case, with the place where there is more than one."""
    place = chapter.place_label(one.place)
    return f"{chapter.label(one.case)} ({place})" if place else chapter.label(one.case)


@dataclass(frozen=True)
class _Scale:
    """A scale from ``low`` to ``high``, in the metric's unit or its logarithm."""

    low: float
    high: float
    logarithmic: bool
    words: str

    @classmethod
    def of(cls, rows: Sequence[Row]) -> _Scale | None:
        """A scale that holds every interval; None where there is nothing to compare."""
        ends = [
            value
            for row in rows
            if row.interval
            for value in (row.interval.estimate, row.interval.low, row.interval.high)
            if math.isfinite(value)
        ]
        if len(rows) < 2 or min(ends) == max(ends):
            return None
        metric, clock = rows[0].metric, rows[0].clock
        logarithmic = metric.scale == "ratio" and max(ends) / min(ends) >= WIDE
        words = span(metric.show(min(ends), clock), metric.show(max(ends), clock))
        return cls(
            min(ends),
            max(ends),
            logarithmic,
            words + (", logarithmic" if logarithmic else ""),
        )

    def percent(self, value: float) -> float:
        """Where ``value`` lies, from 0 to 100; beyond the ends is at the ends."""
        if math.isinf(value):
            return 100.0 if value > 0 else 0.0
        low, high = self.low, self.high
        if self.logarithmic:
            if value <= 0:
                return 0.0
            value, low, high = math.log(value), math.log(low), math.log(high)
        return round(min(100.0, max(0.0, 100 * (value - low) / (high - low))), 1)


def _line(chapter: Chapter, one: Measured, row: Row, scale: _Scale | None) -> Line:
    params = one.case.params
    return Line(
        params=tuple(chapter.show(name, params.get(name)) for name in chapter.varying),
        place=chapter.place_label(one.place),
        median=median_text(row),
        interval=interval_text(row),
        strip=_strip(row, scale),
        noise=noise_text(row),
        blocks=len(row.values),
        disturbed=row.disturbed,
        replaced=row.replaced,
        proven=row.proof.holds,
        checks=row.proof.checks,
    )


def _strip(row: Row, scale: _Scale | None) -> Strip | None:
    if scale is None or row.interval is None:
        return None
    interval = row.interval
    inside = row.metric.better == "zero" and scale.low < 0 < scale.high
    return Strip(
        scale.percent(interval.low),
        scale.percent(interval.estimate),
        scale.percent(interval.high),
        scale.percent(0.0) if inside else None,
        interval.bounded,
    )


def _last_words(result: CaseResult) -> str:
    if not result.stderr and result.exit_status is None:
        return ""
    said = result.stderr.strip()
    if len(said) > _LONGEST_STDERR:
        said = f"… (all of it is in the run file)\n{said[-_LONGEST_STDERR:]}"
    status = "" if result.exit_status is None else f"exit status {result.exit_status}\n"
    return status + said
