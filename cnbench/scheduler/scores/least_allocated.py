"""LeastAllocated and MostAllocated: how much of each resource stays free, or is used.

LeastRequestedPriority and MostRequestedPriority in the legacy names. Source: kubernetes
noderesources/least_allocated.go and most_allocated.go. The incoming pod is counted; pods that do
not name cpu or memory count with 100 millicpu and 200 MiB. A resource a node has none of does not
take part in that node's mean, nor does an extended resource the pod does not request; before 1.22
both took part, the former with a score of 0.
"""

from collections.abc import Sequence

import numpy as np

from cnbench.scheduler.arrays import Floats, Ints
from cnbench.scheduler.cluster import Cluster, Shape
from cnbench.scheduler.exact import MAX_SCORE, floor_quotient
from cnbench.scheduler.resources import SCORED
from cnbench.scheduler.view import View

LEAST = "LeastAllocated"
MOST = "MostAllocated"

Weights = Sequence[tuple[str, int]]


def least(view: View, shape: Shape, weights: Weights) -> Ints:
    """Weighted mean over resources of floor((capacity - requested) * 100 / capacity) (int64).

    A resource counts 0 where the requests exceed the capacity.
    """
    return _mean(view, shape, weights, used=False)


def most(view: View, shape: Shape, weights: Weights) -> Ints:
    """Weighted mean over resources of floor(requested * 100 / capacity), at most 100 (int64)."""
    return _mean(view, shape, weights, used=True)


def counted(cluster: Cluster, shape: Shape, weights: Weights) -> list[tuple[str, int, int]]:
    """Name, row and weight of the resources that take part for this pod."""
    rows, asked = cluster.resources.rows, shape.demand.scored_amount
    return [
        (name, rows[name], weight)
        for name, weight in weights
        if name in rows and (name in SCORED or asked(name))
    ]


def _mean(view: View, shape: Shape, weights: Weights, used: bool) -> Ints:
    rows = view.cluster.resources.rows
    if view.release.absent_counts:
        taking_part = [(name, rows[name], weight) for name, weight in weights if name in rows]
    else:
        taking_part = counted(view.cluster, shape, weights)
    total: Floats | None = None
    for name, row, weight in taking_part:
        percent = _percent(view, shape, name, row, used)
        if weight != 1:
            percent *= weight
        total = percent if total is None else np.add(total, percent, out=total)
    if total is None:
        return view.zeros()
    # Not negative, so that cutting off the fraction rounds down (see exact.py).
    mean: Ints = np.divide(total, _divisor(view, weights, taking_part), out=total).astype(np.int64)
    return mean


def _divisor(
    view: View, weights: Weights, taking_part: Sequence[tuple[str, int, int]]
) -> Floats | float:
    """The weights that count, where nodes lack a resource for each node."""
    resources = view.cluster.resources
    if view.release.absent_counts:
        return float(sum(weight for _, weight in weights))
    if not any(resources.lacking[row] for _, row, _ in taking_part):
        return float(sum(weight for _, _, weight in taking_part))
    present = sum(
        weight * (view.column(resources.capacity[row]) > 0) for _, row, weight in taking_part
    )
    divisor: Floats = np.maximum(present, 1.0)
    return divisor


def _percent(view: View, shape: Shape, name: str, row: int, used: bool) -> Floats:
    resources = view.cluster.resources
    amount = shape.demand.scored_amount(name)
    percent = view.column(resources.left(name)) - amount
    if percent.min(initial=0.0) < 0.0:
        np.maximum(percent, 0.0, out=percent)
    if used:
        np.subtract(view.column(resources.capacity[row]), percent, out=percent)
    percent *= MAX_SCORE
    return floor_quotient(percent, view.column(resources.divisor[row]))
