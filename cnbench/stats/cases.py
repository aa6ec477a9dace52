"""Measurements of one cost at several sizes, ready to be fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnbench.core.errors import CnbenchError
from cnbench.stats.arrays import Floats, as_positive, as_values, median
from cnbench.stats.bootstrap import resampled_medians
from cnbench.stats.intervals import blocks_needed


@dataclass(frozen=True, slots=True)
class CostsBySize:
    """One case a size: ``sizes`` has shape (cases,), ``samples`` an array of blocks for each."""

    sizes: Floats
    samples: tuple[Floats, ...]

    @classmethod
    def of(cls, sizes: npt.ArrayLike, samples: Sequence[npt.ArrayLike]) -> CostsBySize:
        """Check and keep the cases; a fit by relative error needs samples above zero.

        Raises:
            CnbenchError: not one array of positive samples for each size, or fewer than two
                different sizes.
        """
        places = as_values(sizes, "sizes")
        if len(samples) != places.size:
            raise CnbenchError(f"there are {places.size} sizes, but samples of {len(samples)}")
        if np.unique(places).size < 2:
            raise CnbenchError(
                f"every case has the size {places[0]:g}: a fit needs two", "measure another size"
            )
        return cls(
            places,
            tuple(
                as_positive(blocks, f"samples at size {size:g}")
                for size, blocks in zip(places, samples, strict=True)
            ),
        )

    def medians(self) -> Floats:
        """The median of each case, shape (cases,)."""
        return np.array([median(blocks) for blocks in self.samples])

    def resampled(self, draws: int, rng: np.random.Generator) -> Floats:
        """Medians of each case's resampled blocks, shape (draws, cases)."""
        return np.column_stack([resampled_medians(blocks, draws, rng) for blocks in self.samples])

    def bound_a_fit(self, confidence: float) -> bool:
        """Whether every case has the blocks that its median's interval needs.

        Raises:
            ValueError: a confidence below 0.5, or 1 and above.
        """
        return min(blocks.size for blocks in self.samples) >= blocks_needed(confidence)
