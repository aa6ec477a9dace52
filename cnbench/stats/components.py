"""Where the scatter of a measurement comes from: blocks, set-ups, runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnbench.stats.distributions import normal_quantile, t_quantile
from cnbench.stats.observations import Observations

_POWER = 0.8


@dataclass(frozen=True)
class Components:
    """Standard deviations, on the scale of the observations; None where nothing tells of one.

    Attributes:
        inside: between the blocks of one set-up (of one run where set-ups are not noted).
        setups: between set-ups, beyond what their blocks explain.
        runs: between the centres of runs, all that differs included.
        count: how many runs.
    """

    inside: float | None
    setups: float | None
    runs: float | None
    count: int

    def could_find(self, runs: int = 1) -> float | None:
        """The change between ``runs`` a side that is found with 80 %, knowing the spread of runs.

        The t of as many degrees as that spread was estimated with, and the normal quantile of the
        power (Bloom, Evaluation Review 19 (1995) 547-556). None with fewer than three runs.
        """
        if self.runs is None or self.count < 3:
            return None
        errors = t_quantile(self.count - 1, 0.975) + normal_quantile(_POWER)
        return errors * self.runs * math.sqrt(2 / runs)


def components_of(runs: Sequence[Observations]) -> Components:
    """The components of ``runs``, each the observations of one run of the same thing.

    Set-ups by the analysis of variance of a random effect, with unequal numbers of blocks (Searle,
    Casella & McCulloch, Variance Components, 1992, section 3.6), pooled over the runs.
    """
    inside, freedom, between, setups_freedom = 0.0, 0, [], 0
    for run in runs:
        labels = run.setups if run.setups.size else np.zeros(run.values.size)
        stretches = [run.values[labels == label] for label in np.unique(labels)]
        inside += sum(float(((stretch - stretch.mean()) ** 2).sum()) for stretch in stretches)
        freedom += sum(stretch.size - 1 for stretch in stretches)
        if len(stretches) > 1:
            means = np.array([stretch.mean() for stretch in stretches])
            blocks = 1 / float(np.mean([1 / stretch.size for stretch in stretches]))
            between.append((float(means.var(ddof=1)), blocks, len(stretches) - 1))
            setups_freedom += len(stretches) - 1
    variance = inside / freedom if freedom else None
    setups = None
    if between and variance is not None:
        excess = sum((found - variance / blocks) * weight for found, blocks, weight in between)
        setups = math.sqrt(max(0.0, excess / setups_freedom))
    centres = np.array([run.centre() for run in runs])
    return Components(
        inside=math.sqrt(variance) if variance is not None else None,
        setups=setups,
        runs=float(centres.std(ddof=1)) if centres.size > 1 else None,
        count=int(centres.size),
    )
