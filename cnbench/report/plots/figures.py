"""What a module of figures says about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cnbench.analysis.chapters import Chapter
from cnbench.report.svg import Panel


@dataclass(frozen=True)
class Figures:
    """The figures of one experiment.

    Attributes:
        experiment: its name.
        metrics: the metrics that they show.
        numbers: parameters that they need in every case, above zero.
        words: parameters that they need in every case, of any kind.
        panels: makes the plots of a chapter that has all these.
    """

    experiment: str
    metrics: frozenset[str]
    numbers: frozenset[str]
    words: frozenset[str]
    panels: Callable[[Chapter], list[Panel]]

    def can_show(self, chapter: Chapter) -> bool:
        """Whether the chapter has all that these figures need."""
        return self.metrics <= {metric.name for metric in chapter.record.metrics} and all(
            self.words <= entry.case.params.keys()
            and all(_is_positive(entry.case.params.get(name)) for name in self.numbers)
            for entry in chapter.ok
        )


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and value > 0
