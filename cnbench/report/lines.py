"""A case as a line of a table: its figures as text, and where they lie on the table's scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cnbench.analysis.chapters import Chapter, ChapterEntry
from cnbench.analysis.number_format import interval_text, median_text, noise_text, span
from cnbench.analysis.rows import Row
from cnbench.core.proof import Check
from cnbench.report.plots.axes import WIDE


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
    origin: str
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
class Scale:
    """A scale from ``low`` to ``high``, in the metric's unit or its logarithm."""

    low: float
    high: float
    logarithmic: bool
    words: str

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Scale | None:
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


def line_of(chapter: Chapter, entry: ChapterEntry, row: Row, scale: Scale | None) -> Line:
    """One case of ``chapter`` in its table, on the scale of all its rows."""
    params = entry.case.params
    return Line(
        params=tuple(chapter.show(name, params.get(name)) for name in chapter.varying),
        origin=chapter.origin_label(entry.origin),
        median=median_text(row),
        interval=interval_text(row),
        strip=_strip(row, scale),
        noise=noise_text(row),
        blocks=row.blocks,
        disturbed=row.disturbed,
        replaced=row.replaced,
        proven=row.proof.holds,
        checks=row.proof.checks,
    )


def _strip(row: Row, scale: Scale | None) -> Strip | None:
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
