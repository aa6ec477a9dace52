"""What machines do to a measurement: models of noise, drawn for runs that were never measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Of a burst of outliers, each block is one with this chance, and so many times slower at most.
_OUTLIER_CHANCE = 0.05
_OUTLIER = 0.3


@dataclass(frozen=True)
class Model:
    """How blocks, set-ups and runs of one thing differ; shares of its cost, as standard deviations.

    Attributes:
        inside: from block to block.
        setups: from one set-up to another.
        runs: from one run to another, for all that is measured in it; a repeat is a run.
        sessions: from one run with its repeats to another, for all of these.
        memory: the autocorrelation of neighbouring blocks.
        common: whether the blocks' memory is the machine's, shared by what shares a block, or each
            thing's own.
        shape: ``normal``, ``skewed`` (log-normal squared away from its mean) or ``outliers``.
        drift: by how much the cost has risen after the last block.
    """

    inside: float = 0.02
    setups: float = 0.0
    runs: float = 0.0
    sessions: float = 0.0
    memory: float = 0.0
    common: bool = False
    shape: str = "normal"
    drift: float = 0.0

    def runs_of(
        self, rng: np.random.Generator, runs: int, sides: int, blocks: int, setups: int
    ) -> Floats:
        """The logarithms of the cost of ``sides`` things in each run, shape (runs, sides, blocks).

        Block b is of set-up b modulo ``setups``, each side having its own in each run.
        """
        own = self.setups * rng.standard_normal((runs, sides, setups))
        turn = np.arange(blocks) % setups
        drift = self.drift * np.linspace(0, 1, blocks)
        offsets = self.runs * rng.standard_normal((runs, 1, 1))
        return offsets + own[..., turn] + drift + self._blocks(rng, (runs, sides, blocks))

    def _blocks(self, rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
        runs, _, blocks = shape
        if self.shape == "skewed":
            return self.inside * (rng.standard_exponential(shape) - np.log(2))
        if self.memory and self.common:
            wander = self.inside * remembering(rng, self.memory, (runs, 1, blocks))
            return wander + self.inside / 4 * rng.standard_normal(shape)
        noise = self.inside * remembering(rng, self.memory, shape)
        if self.shape == "outliers":
            hit = rng.random(shape) < _OUTLIER_CHANCE
            noise = noise + hit * rng.uniform(0, _OUTLIER, shape)
        return noise


# Repeats that follow each other have in common what the machine is like meanwhile.
REPEATS_ALIKE = Model(inside=0.005, runs=0.003, sessions=0.01)


def remembering(rng: np.random.Generator, memory: float, shape: tuple[int, ...]) -> Floats:
    """First-order autoregressions of standard deviation 1, begun where they are at home."""
    fresh = rng.standard_normal(shape)
    if memory == 0:
        return fresh
    series = np.empty_like(fresh)
    series[..., 0] = fresh[..., 0]
    for place in range(1, shape[-1]):
        news = (1 - memory**2) ** 0.5 * fresh[..., place]
        series[..., place] = memory * series[..., place - 1] + news
    return series


MODELS: Mapping[str, Model] = {
    "independent, 2 %": Model(),
    "skewed, 2 %": Model(shape="skewed"),
    "outliers up to 30 %": Model(shape="outliers"),
    "AR(1) 0.5, own": Model(memory=0.5),
    "AR(1) 0.8, own": Model(memory=0.8),
    "AR(1) 0.5, common": Model(memory=0.5, common=True),
    "AR(1) 0.8, common": Model(memory=0.8, common=True),
    "drift of 5 %": Model(drift=0.05),
    "runs 0.3 % apart": Model(inside=0.005, runs=0.003),
    "runs 1 % apart": Model(inside=0.005, runs=0.01),
    "set-ups 0.3 % apart": Model(inside=0.005, setups=0.003),
    "set-ups 1 % apart": Model(inside=0.005, setups=0.01),
}
