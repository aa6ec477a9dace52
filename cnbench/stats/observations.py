"""Observations that know what was drawn independently: the block, the set-up or the run.

Values that share a set-up or a run share what that drew (where memory lies, how tables are
shuffled, what the machine was at that hour), and no number of them averages it out. What was drawn
independently is the unit of every interval here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cnbench.core.autocorrelation import corrected
from cnbench.core.errors import CnbenchError
from cnbench.stats.arrays import Floats, median
from cnbench.stats.autocorrelation import lag_one_of

# Fewer blocks a set-up than this, and taking away the set-ups' medians would take most of the rest.
_BLOCKS_A_SETUP = 3
Labels: TypeAlias = npt.NDArray[np.int64]


@lru_cache(maxsize=32)
def _places_of(setups: bytes) -> tuple[Labels, ...]:
    """Where each label is, in their order, which all cases of a run have alike."""
    # A report asks for thousands: counting finds the labels in a tenth of np.unique's time.
    labels = np.frombuffer(setups, dtype=np.int64)
    return tuple((labels == label).nonzero()[0] for label in np.bincount(labels).nonzero()[0])


def _not_noted() -> Labels:
    return np.array([], dtype=np.int64)


@dataclass(frozen=True)
class Observations:
    """One value a block, in the order taken, on a scale where differences have a meaning.

    Attributes:
        values: shape (n,); logarithms where quotients are compared.
        setups: the set-up of each, shape (n,), counted from 0 in each run; empty where nobody noted
            it, and each block then stands for itself.
        runs: the run of each, shape (n,), equal ones together; empty for one run.
    """

    values: Floats
    setups: Labels = field(default_factory=_not_noted)
    runs: Labels = field(default_factory=_not_noted)

    def __post_init__(self) -> None:
        for labels in (self.setups, self.runs):
            if labels.size and labels.size != self.values.size:
                raise CnbenchError(f"{self.values.size} values have {labels.size} labels")

    @cached_property
    def by_run(self) -> list[Observations]:
        """The observations of each run, in their order."""
        if not self.runs.size:
            return [self]
        begins = np.flatnonzero(self.runs[1:] != self.runs[:-1]) + 1
        places = np.split(np.arange(self.values.size), begins)
        return [
            Observations(self.values[at], self.setups[at] if self.setups.size else self.setups)
            for at in places
        ]

    def setup_medians(self) -> Floats:
        """One value a set-up of a single run, in their order; without a note, one a block."""
        if not self.setups.size:
            return self.values
        return np.array(self._medians)

    @cached_property
    def setup_count(self) -> int:
        """How many set-ups a single run had; 0 where nobody noted it."""
        if self.setups.size and (self.setups == self.setups[0]).all():
            return 1
        return len(self._places)

    @cached_property
    def _places(self) -> tuple[Labels, ...]:
        """Where the blocks of each set-up are, in the order of the set-ups."""
        return _places_of(np.asarray(self.setups, dtype=np.int64).tobytes())

    @cached_property
    def _medians(self) -> list[float]:
        return [median(self.values[at]) for at in self._places]

    def centre(self) -> float:
        """The middle of a single run: the median of its set-ups' medians."""
        return median(self.setup_medians())

    @cached_property
    def lag_one(self) -> float:
        """The correlation of neighbouring blocks of a single run, without what set-ups differ by.

        Neighbouring blocks are of different set-ups, whose differences are no memory.
        """
        values = self.values
        if self.setup_count > 1 and values.size >= _BLOCKS_A_SETUP * self.setup_count:
            values = values.copy()
            for at, middle in zip(self._places, self._medians, strict=True):
                values[at] -= middle
        return lag_one_of(values)

    def memory(self) -> float:
        """The autocorrelation of a single run, 0 to 0.9, without the bias of its estimate."""
        return corrected(self.lag_one, self.values.size)
