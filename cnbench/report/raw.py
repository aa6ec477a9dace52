"""Raw samples as compact text: every value of every block, in the order of the blocks."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor, log10

from cnbench.analysis.chapters import Chapter, Measured
from cnbench.analysis.number_format import count_text, minus
from cnbench.core.metric import Metric
from cnbench.core.run import Sample
from cnbench.report.summary import case_and_place

_DIGITS = 5
# A case with every block disturbed would fill the page with much the same sentence.
_MOST_REASONS = 6
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
            case_and_place(chapter, one),
            one.result.status,
            _facts(one),
            tuple(_values(one, chapter.record.metrics)),
            tuple(_reasons(one.result.samples)),
        )
        for one in chapter.measured
        if one.result.samples
    ]


def _facts(one: Measured) -> str:
    result = one.result
    parts = [f"group {result.group}", f"set up in {result.setup:.2g} s"]
    return ", ".join([*parts, result.stopped] if result.stopped else parts)


def _values(one: Measured, metrics: Iterable[Metric]) -> Iterable[RawValues]:
    for metric in metrics:
        unit = metric.unit_on(one.origin.clock)
        for name, samples in (("", one.result.samples), (" (A′)", one.result.twin)):
            have = [sample for sample in samples if metric.name in sample.values]
            if have:
                values = [abs(sample.values[metric.name]) for sample in have]
                factor, symbol = _scale(statistics.median(values), unit)
                text = " ".join(_tokens(have, metric.name, factor))
                yield RawValues(metric.name + name, symbol, text)


def _tokens(samples: Sequence[Sample], metric: str, factor: float) -> Iterable[str]:
    """The values by block: ``(41.2)`` was replaced, ``40.3*`` is disturbed; ``7:`` after a gap."""
    expected = 0
    for sample in sorted(samples, key=lambda s: s.block):
        if sample.block > expected:
            yield f"{sample.block}:"
        expected = sample.block + 1
        number = minus(f"{sample.values[metric] / factor:.{_DIGITS}g}")
        if sample.replaced:
            yield f"({number})"
        else:
            yield number + ("*" if sample.disturbances else "")


def _reasons(samples: Sequence[Sample]) -> Iterable[str]:
    disturbed = [sample for sample in samples if sample.disturbances]
    for sample in sorted(disturbed, key=lambda s: s.block)[:_MOST_REASONS]:
        fate = "replaced" if sample.replaced else "used"
        yield f"block {sample.block}, {fate}: {'; '.join(sample.disturbances)}"
    if len(disturbed) > _MOST_REASONS:
        more = count_text(len(disturbed) - _MOST_REASONS, "disturbed sample")
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
