"""A published figure and one of ours side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cnbench.analysis.chapters import Chapter
from cnbench.analysis.number_format import NO_BOUND, minus, span
from cnbench.analysis.published.comparability import Comparability, comparability
from cnbench.analysis.published.figure import Figure, Ours
from cnbench.analysis.rows import finite
from cnbench.core.units import FRACTION, format_quantity
from cnbench.stats.intervals import Interval


@dataclass(frozen=True)
class Beside:
    """One of our results beside one published figure."""

    figure: Figure
    ours: Ours
    comparability: Comparability

    @property
    def ratio(self) -> tuple[float, float] | None:
        """Ours over the published figure, over its high and its low end; None across units.

        Nor is there one where either may be zero.
        """
        if self.ours.unit != self.figure.unit or self.figure.low <= 0:
            return None
        if self.figure.unit == FRACTION and self.ours.interval.low <= 0:
            return None
        estimate = self.ours.interval.estimate
        return estimate / self.figure.high, estimate / self.figure.low

    @property
    def within(self) -> bool | None:
        """Whether our interval and the published range overlap; None across units."""
        if self.ours.unit != self.figure.unit:
            return None
        interval = self.ours.interval
        return interval.low <= self.figure.high and interval.high >= self.figure.low

    @property
    def published_text(self) -> str:
        """The published figure or range."""
        return _range(self.figure.low, self.figure.high, self.figure.unit)

    @property
    def ours_text(self) -> str:
        """Our estimate."""
        return minus(format_quantity(self.ours.interval.estimate, self.ours.unit))

    @property
    def interval_text(self) -> str:
        """Our 95 % interval."""
        interval = self.ours.interval
        return _range(interval.low, interval.high, self.ours.unit) if interval.bounded else NO_BOUND

    @property
    def ratio_text(self) -> str:
        """Ours over the published figure."""
        return "–" if self.ratio is None else _range(*self.ratio, "")

    def as_json(self) -> dict[str, Any]:
        """The row for ``--json``, in base units."""
        return {
            "experiment": self.figure.experiment,
            "what": self.figure.what,
            "conditions": self.figure.conditions,
            "source": self.figure.source,
            "unit": self.figure.unit,
            "published": [self.figure.low, self.figure.high],
            "ours": _as_json(self.ours.interval) | {"unit": self.ours.unit},
            "setting": self.ours.setting,
            "lab": self.ours.origin.lab,
            "clock": self.ours.origin.clock,
            "kernel": self.ours.origin.kernel,
            "ratio": self.ratio and list(self.ratio),
            "overlap": self.within,
            "comparable": self.comparability.verdict.value,
            "reasons": list(self.comparability.reasons),
        }


def beside(figure: Figure, chapter: Chapter) -> Iterator[Beside]:
    """All that a chapter has beside a figure."""
    for ours in figure.ours(chapter):
        yield Beside(figure, ours, comparability(figure, ours))


def _range(low: float, high: float, unit: str) -> str:
    one, other = (minus(format_quantity(value, unit)) for value in (low, high))
    return one if one == other else span(one, other)


def _as_json(interval: Interval) -> dict[str, float | None]:
    return {
        "estimate": finite(interval.estimate),
        "low": finite(interval.low),
        "high": finite(interval.high),
    }
