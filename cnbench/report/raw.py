"""Raw samples as compact text: the values of every block, in the order of the blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, log10

import numpy as np

from cnbench.analysis.chapters import Chapter, ChapterEntry
from cnbench.analysis.number_format import minus
from cnbench.core.metric import Metric
from cnbench.core.units import format_count
from cnbench.report.summary import case_and_place
from cnbench.stats.arrays import Floats
from cnbench.store.columns import Columns, columns_of

_DIGITS = 5
# A case with every block disturbed would fill the page with much the same sentence.
_MOST_REASONS = 6
# Of a metric of a case. All of a run with a million samples made a page of 18 MB.
_MOST_VALUES = 200
_THOUSANDTHS = {-3: "n", -2: "µ", -1: "m", 0: "", 1: "k", 2: "M", 3: "G"}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class RawValues:
    """One metric of one case, or of its twin."""

    metric: str
    unit: str
    values: str


@dataclass(frozen=True)
class RawCase:
    """All the samples of one case."""

    case: str
    status: str
    facts: str
    values: tuple[RawValues, ...]
    reasons: tuple[str, ...]


def raw_cases(chapter: Chapter) -> list[RawCase]:
    """The samples of every case that has some, failed ones included."""
    return [
        RawCase(
            case_and_place(chapter, entry),
            entry.result.status,
            _facts(entry),
            tuple(_values(entry, chapter.record.metrics)),
            tuple(_reasons(columns_of(entry.result.samples))),
        )
        for entry in chapter.measured
        if entry.result.samples
    ]


def _facts(entry: ChapterEntry) -> str:
    result = entry.result
    parts = [f"group {result.group}", f"set up in {result.setup:.2g} s"]
    return ", ".join([*parts, result.stopped] if result.stopped else parts)


def _values(entry: ChapterEntry, metrics: Iterable[Metric]) -> Iterable[RawValues]:
    named = (("", entry.result.samples), (" (A′)", entry.result.twin))
    parts = [
        (name, columns, _Marks.of(columns)) for name, s in named for columns in [columns_of(s)]
    ]
    for metric in metrics:
        for name, columns, marks in parts:
            if metric.name in columns.metrics:
                values = columns.values(metric.name)
                unit = metric.unit_on(entry.origin.clock)
                factor, symbol = _scale(float(np.median(np.abs(values))), unit)
                text = " ".join(marks.tokens(values / factor))
                yield RawValues(metric.name + name, symbol, text)


@dataclass(frozen=True)
class _Marks:
    """What is said of the samples that are shown: those at ``places``, in the order of the blocks.

    ``(41.2)`` was replaced, ``40.3*`` is disturbed; ``7:`` after a gap. Of very many samples one in
    ``step`` is shown, so that a page can still be sent.
    """

    count: int
    step: int
    places: list[int]
    blocks: list[int]
    replaced: list[bool]
    disturbed: list[bool]

    @classmethod
    def of(cls, columns: Columns) -> _Marks:
        blocks = columns.whole("block")
        step = -(-len(columns) // _MOST_VALUES) or 1
        places = np.argsort(blocks, kind="stable")[::step]
        return cls(
            len(columns),
            step,
            places.tolist(),
            blocks[places].tolist(),
            (~columns.used[places]).tolist(),
            columns.disturbed[places].tolist(),
        )

    def tokens(self, values: Floats) -> Iterable[str]:
        if self.step > 1:
            yield f"one in {self.step} of {format_count(self.count, 'sample')}:"
        expected = 0
        shown = zip(
            values[self.places].tolist(), self.blocks, self.replaced, self.disturbed, strict=True
        )
        for value, block, replaced, disturbed in shown:
            if block > expected and self.step == 1:
                yield f"{block}:"
            expected = block + 1
            number = minus(f"{value:.{_DIGITS}g}")
            yield f"({number})" if replaced else number + ("*" if disturbed else "")


def _reasons(columns: Columns) -> Iterable[str]:
    disturbances = columns.disturbances
    blocks, used = columns.whole("block"), columns.used
    places = sorted(disturbances, key=lambda place: int(blocks[place]))
    for place in places[:_MOST_REASONS]:
        fate = "used" if used[place] else "replaced"
        yield f"block {blocks[place]}, {fate}: {'; '.join(disturbances[place])}"
    if len(places) > _MOST_REASONS:
        more = format_count(len(places) - _MOST_REASONS, "disturbed sample")
        yield f"and {more} more, in the run file"


def _scale(typical: float, unit: str) -> tuple[float, str]:
    """What to divide by, and the unit that the quotients have: one for all values of a line."""
    if unit == "1":
        return 0.01, "%"
    if not typical:
        return 1.0, unit
    steps = floor(log10(typical) / 3)
    if unit == "s":
        steps = max(-3, min(0, steps))
        return 1000.0**steps, f"{_THOUSANDTHS[steps]}s"
    if -1 <= steps <= 1:
        return 1.0, unit
    return 1000.0**steps, f"10{str(3 * steps).translate(_SUPERSCRIPTS)} {unit}".rstrip()
