"""LeastAllocated and MostAllocated: how much of each resource stays free, or is used.

LeastRequestedPriority and MostRequestedPriority in the legacy names. Source: kubernetes
noderesources/least_allocated.go and most_allocated.go. The incoming pod is counted; pods that do
not name cpu or memory count with 100 millicpu and 200 MiB. A resource a node has none of does not
take part in that node's mean, nor does an extended resource the pod does not request; before 1.22
both took part, the former with a score of 0.
"""

import numpy as np

from cnbench.scheduler.cluster import Shape
from cnbench.scheduler.columns.arrays import Floats, Ints
from cnbench.scheduler.columns.exact import floor_quotient, whole
from cnbench.scheduler.columns.resources import PERCENT
from cnbench.scheduler.scores.resource_shares import ResourceShares, Weights, resource_shares
from cnbench.scheduler.view import View

LEAST = "LeastAllocated"
MOST = "MostAllocated"


def least(view: View, shape: Shape, weights: Weights) -> Ints:
    """Weighted mean over resources of floor((capacity - requested) * 100 / capacity) (int64).

    A resource counts 0 where the requests exceed the capacity.
    """
    return _mean(view, shape, weights, used=False)


def most(view: View, shape: Shape, weights: Weights) -> Ints:
    """Weighted mean over resources of floor(requested * 100 / capacity), at most 100 (int64)."""
    return _mean(view, shape, weights, used=True)


def _mean(view: View, shape: Shape, weights: Weights, used: bool) -> Ints:
    shares = resource_shares(view, shape, weights, all_of_them=view.release.absent_counts)
    if not shares.rows:
        return view.zeros()
    percent = _percent(view, shares, used)
    if shares.weights is not None:
        percent *= shares.weights
    total = percent[0]
    for further in percent[1:]:
        total += further
    # Not negative, so that cutting off the fraction rounds down (see exact.py).
    return whole(np.divide(total, _divisor(view, shares, weights), out=total))


def _percent(view: View, shares: ResourceShares, used: bool) -> Floats:
    """The share of each resource that stays free, or is used: (resources, nodes)."""
    resources = view.cluster.resources
    percent = np.subtract(view.columns(resources.left(shares.rows)), shares.scored)
    # Looking for the lowest is cheaper than cutting, and nodes are rarely overcommitted.
    if percent.min(initial=0.0) < 0.0:
        np.maximum(percent, 0.0, out=percent)
    if used:
        np.subtract(shares.of(view, resources.capacity) * PERCENT, percent, out=percent)
    return floor_quotient(percent, shares.of(view, resources.divisor))


def _divisor(view: View, shares: ResourceShares, weights: Weights) -> Floats | float:
    """The weights that count, where nodes lack a resource for each node."""
    if view.release.absent_counts:
        return float(sum(weight for _, weight in weights))
    if not shares.lacking:
        return shares.weight_sum
    present = shares.of(view, view.cluster.resources.capacity) > 0
    each: Floats | float = 1.0 if shares.weights is None else shares.weights
    divisor: Floats = np.maximum(np.add.reduce(present * each), 1.0)
    return divisor
