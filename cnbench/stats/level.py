"""The level of one case: its median, and how well that is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from cnbench.core.metric import Scale
from cnbench.stats.arrays import exp_of, log_of
from cnbench.stats.autocorrelation import remembered, widened, widened_as_blocks
from cnbench.stats.intervals import Interval, blocks_needed, mean_interval, median_interval
from cnbench.stats.observations import Observations


@dataclass(frozen=True)
class Level:
    """A median with its 95 % interval.

    Attributes:
        interval: on the scale of the observations.
        unit: what was drawn independently: the run if there are several, else the set-up, else the
            block.
        units: how many of these there are.
        autocorrelation: of neighbouring blocks, 0 to 0.9; the interval has been widened for it.
    """

    interval: Interval
    unit: Literal["block", "set-up", "run"]
    units: int
    autocorrelation: float


def level_on_scale(observations: Observations, *, scale: Scale) -> Level:
    """The level of ``observations`` in their unit; by logarithms where quotients count.

    Raises:
        CnbenchError: no values, or one that is not above zero on the ratio scale.
    """
    if scale == "additive":
        return level_of(observations)
    logs = replace(observations, values=log_of(observations.values))
    level = level_of(logs)
    return replace(level, interval=level.interval.map(exp_of))


def level_of(observations: Observations, *, memory: float | None = 0.0) -> Level:
    """The level of ``observations``.

    Several runs have the mean of their medians and Student's t. One run has the median of its
    blocks, or of its set-ups' medians, with ``median_interval``; two to five set-ups, too few for
    that, Student's t. What one run alone says holds for that run. The autocorrelation is taken for
    ``memory`` at least; where that is None, the interval is not widened for it.

    Raises:
        CnbenchError: no values.
    """
    runs = observations.by_run
    n = observations.values.size // len(runs)
    remembers = max(memory or 0.0, remembered([run.lag_one for run in runs], n))
    if len(runs) > 1:
        centres = np.array([run.centre() for run in runs])
        return Level(mean_interval(centres), "run", len(runs), remembers)
    widens = 0.0 if memory is None else remembers
    count = observations.setup_count
    if count <= 1:
        of_blocks = median_interval(observations.values)
        return Level(widened(of_blocks, widens, n), "block", n, remembers)
    medians = observations.setup_medians()
    interval = (mean_interval if count < blocks_needed() else median_interval)(medians)
    if widens:
        of_blocks = median_interval(observations.values)
        interval = widened_as_blocks(interval, of_blocks, widens, n)
    return Level(interval, "set-up", count, remembers)
