"""What somebody else measured, where they said so, and what of ours it is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cnbench.analysis.chapters import Chapter, Origin
from cnbench.core.units import COUNT
from cnbench.stats.intervals import Interval

# The unit of a quotient of two results: it has none.
RATIO = COUNT


@dataclass(frozen=True)
class Ours:
    """What a run has of the same.

    Attributes:
        interval: the estimate and its 95 % interval, in the published figure's unit; on the
            instruction clock in what stands for it there.
        unit: the unit of the interval.
        origin: where it was measured.
        setting: what tells it from other results of ours about the same, in a few words.
    """

    interval: Interval
    unit: str
    origin: Origin
    setting: str


# All that a chapter has about a figure; nothing where it measured something else.
FindOurs = Callable[[Chapter], Sequence[Ours]]


@dataclass(frozen=True)
class Figure:
    """One published figure, or the range of several.

    Attributes:
        experiment: the experiment of ours that is about the same.
        what: what was measured, in a few words.
        conditions: on what, as far as the source says.
        low: the figure, or the least of several, in base units.
        high: the same figure again, or the largest of several.
        unit: a base unit; ``RATIO`` for a quotient of two results of one source.
        source: who published it, and where.
        ours: finds what we have of the same.
        unlike: how its conditions differ from any that ours can have, a short sentence each.
        on_any_machine: it follows from a format or a setting, so that no machine changes it.
    """

    experiment: str
    what: str
    conditions: str
    low: float
    high: float
    unit: str
    source: str
    ours: FindOurs
    unlike: tuple[str, ...] = ()
    on_any_machine: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high and self.unit != "1":
            raise ValueError(f"{self.what}: {self.low} to {self.high} is no range above zero")
