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
from cnbench.scheduler.exact import floor_quotient, whole
from cnbench.scheduler.resources import PERCENT, SCORED, rows_of
from cnbench.scheduler.view import View

LEAST = "LeastAllocated"
MOST = "MostAllocated"

Weights = Sequence[tuple[str, int]]
# Name, row and weight of a resource.
Part = tuple[str, int, int]


def least(view: View, shape: Shape, weights: Weights) -> Ints:
    """Weighted mean over resources of floor((capacity - requested) * 100 / capacity) (int64).

    A resource counts 0 where the requests exceed the capacity.
    """
    return _mean(view, shape, weights, used=False)


def most(view: View, shape: Shape, weights: Weights) -> Ints:
    """Weighted mean over resources of floor(requested * 100 / capacity), at most 100 (int64)."""
    return _mean(view, shape, weights, used=True)


def counted(cluster: Cluster, shape: Shape, weights: Weights) -> list[Part]:
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
    if not taking_part:
        return view.zeros()
    percent = _percent(view, shape, taking_part, used)
    if any(weight != 1 for _, _, weight in taking_part):
        percent *= [[weight] for _, _, weight in taking_part]
    total = percent[0]
    for further in percent[1:]:
        total += further
    # Not negative, so that cutting off the fraction rounds down (see exact.py).
    return whole(np.divide(total, _divisor(view, weights, taking_part), out=total))


def _percent(view: View, shape: Shape, taking_part: Sequence[Part], used: bool) -> Floats:
    """The share of each resource that stays free, or is used: (resources, nodes)."""
    resources = view.cluster.resources
    rows = [row for _, row, _ in taking_part]
    amounts = [[PERCENT * shape.demand.scored_amount(name)] for name, _, _ in taking_part]
    percent = np.subtract(view.columns(resources.left(rows)), amounts)
    # Looking for the lowest is cheaper than cutting, and nodes are rarely overcommitted.
    if percent.min(initial=0.0) < 0.0:
        np.maximum(percent, 0.0, out=percent)
    if used:
        capacity = view.columns(rows_of(resources.capacity, rows))
        np.subtract(capacity * PERCENT, percent, out=percent)
    return floor_quotient(percent, view.columns(rows_of(resources.divisor, rows)))


def _divisor(view: View, weights: Weights, taking_part: Sequence[Part]) -> Floats | float:
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
