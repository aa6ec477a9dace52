"""RequestedToCapacityRatio: a broken line of points over the share of each resource that is used.

Source: kubernetes noderesources/requested_to_capacity_ratio.go. A strategy of NodeResourcesFit
since 1.22, a plugin of its own before; only a configuration can ask for it, since it needs points.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Floats, Ints
from cnbench.scheduler.columns.exact import MAX_SCORE
from cnbench.scheduler.scores.least_allocated import percents
from cnbench.scheduler.scores.resource_shares import resource_shares
from cnbench.scheduler.view import View

NAME = "RequestedToCapacityRatio"
# The configuration's scores go up to 10 (config.MaxCustomPriorityScore).
_STEP = MAX_SCORE // 10


def raw(view: View, shape: PodShape) -> Ints:
    """Weighted mean over resources of the line's value at the percent used, rounded (int64).

    Resources that score 0 do not take part in a node's mean, nor do those that the node has none
    of (before 1.22 these count as used up). The percent is cut off to a whole number before the
    line is looked up.
    """
    release, settings = view.release, view.settings
    shares = resource_shares(view, shape, settings.resources, all_of_them=release.absent_counts)
    if not shares.rows:
        return view.zeros()
    capacity = shares.of(view, view.resources.capacity)
    used = np.where(capacity > 0, percents(view, shares, used=True), float(MAX_SCORE))
    line = np.array(_line(settings.utilization_shape), dtype=np.float64)
    scores: Floats = line.take(used.astype(np.intp))
    if not release.absent_counts:
        scores = np.where(capacity > 0, scores, 0.0)
    counted = (scores > 0) * shares.weights
    total = np.add.reduce(scores * shares.weights)
    mean: Floats = total / np.maximum(np.add.reduce(counted), 1.0)
    return np.floor(mean + 0.5).astype(np.int64)


def _line(points: Sequence[tuple[int, int]]) -> list[int]:
    """The line's value at 0 to 100 percent; fractions are cut off as Go's integers do."""
    return [_value(points, percent) for percent in range(MAX_SCORE + 1)]


def _value(points: Sequence[tuple[int, int]], percent: int) -> int:
    before = None
    for at, score in points:
        if percent <= at:
            if before is None:
                return score * _STEP
            start, low = before
            rise = (score - low) * _STEP * (percent - start)
            return low * _STEP + (abs(rise) // (at - start)) * (1 if rise >= 0 else -1)
        before = at, score
    return points[-1][1] * _STEP if points else 0
