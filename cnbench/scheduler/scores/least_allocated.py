"""LeastAllocated and MostAllocated: how much of each resource stays free, or is used.

LeastRequestedPriority and MostRequestedPriority in the legacy names. Source: kubernetes
noderesources/least_allocated.go and most_allocated.go. The incoming pod is counted; pods that do
not name cpu or memory count with 100 millicpu and 200 MiB. A resource a node has none of does not
take part in that node's mean, nor does an extended resource the pod does not request; before 1.22
both took part, the former with a score of 0.
"""

from __future__ import annotations

import numpy as np

from cnbench.scheduler import loops
from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Floats, Ints
from cnbench.scheduler.columns.exact import MAX_SCORE, floor_quotient, whole
from cnbench.scheduler.columns.resources import PERCENT, SCORED_ROWS
from cnbench.scheduler.scores.resource_shares import ResourceShares, resource_shares
from cnbench.scheduler.view import View

LEAST = "LeastAllocated"
MOST = "MostAllocated"


def least(view: View, shape: PodShape) -> Ints:
    """Weighted mean over resources of floor((capacity - requested) * 100 / capacity) (int64).

    A resource counts 0 where the requests exceed the capacity.
    """
    resources = view.resources
    shares = _shares(view, shape)
    if not shares.rows:
        return view.zeros()
    if shares.lacking or resources.wide or view.release.absent_counts:
        return _mean(view, shares, used=False)
    return loops.least_allocated(
        view.columns(resources.left(shares.rows)),
        shares.scored,
        shares.of(view, resources.divisor),
        shares.weights,
        shares.weight_sum,
    )


def most(view: View, shape: PodShape) -> Ints:
    """Weighted mean over resources of floor(requested * 100 / capacity) (int64).

    A resource counts 100 where the requests exceed the capacity, before 1.22 nothing.
    """
    shares = _shares(view, shape)
    return _mean(view, shares, used=True) if shares.rows else view.zeros()


def _shares(view: View, shape: PodShape) -> ResourceShares:
    weights = view.settings.resources
    return resource_shares(view, shape, weights, all_of_them=view.release.absent_counts)


def _mean(view: View, shares: ResourceShares, used: bool) -> Ints:
    empty = view.release.overcommitted_is_empty
    percent = percents(view, shares, used, beyond_is_empty=empty)
    percent *= shares.weights
    total = percent[0]
    for further in percent[1:]:
        total += further
    # Not negative, so that cutting off the fraction rounds down (see exact.py).
    return whole(np.divide(total, _divisor(view, shares), out=total))


def percents(
    view: View, shares: ResourceShares, used: bool, *, beyond_is_empty: bool = False
) -> Floats:
    """The percent of each resource that stays free, or is used.

    Args:
        view: the nodes.
        shares: the resources, and what the pod adds.
        used: whether to count what is used; otherwise what is free.
        beyond_is_empty: whether what is used beyond capacity counts as 0 instead of 100.

    Returns:
        Whole numbers from 0 to 100 as float64: (resources, nodes).
    """
    resources = view.resources
    percent: Floats = np.subtract(view.columns(resources.left(shares.rows)), shares.scored)
    beyond = None
    # Looking for the lowest is cheaper than cutting, and nodes are rarely overcommitted.
    if percent.min(initial=0.0) < 0.0:
        if used and beyond_is_empty:
            beyond = percent < 0.0
        np.maximum(percent, 0.0, out=percent)
    if used:
        np.subtract(shares.of(view, resources.capacity) * PERCENT, percent, out=percent)
    if beyond is not None:
        percent[beyond] = 0.0
    floor_quotient(percent, shares.of(view, resources.divisor))
    if resources.wide:
        _put_in_exactly(view, shares, percent, used=used, beyond_is_empty=beyond_is_empty)
    return percent


def _put_in_exactly(
    view: View, shares: ResourceShares, percent: Floats, *, used: bool, beyond_is_empty: bool
) -> None:
    """Work out the entries beyond float64's exact range in Python's integers."""
    for (row, node), wide in view.resources.wide.items():
        place = view.place_of(node)
        if row not in shares.rows or place is None or not wide.capacity:
            continue
        share = shares.rows.index(row)
        requested = wide.scored if row in SCORED_ROWS else wide.used
        requested += round(float(shares.scored[share, 0]) / PERCENT)
        beyond = requested > wide.capacity
        if used and not (beyond and beyond_is_empty):
            amount = min(requested, wide.capacity)
        else:
            amount = 0 if beyond else wide.capacity - requested
        percent[share, place] = amount * MAX_SCORE // wide.capacity


def _divisor(view: View, shares: ResourceShares) -> Floats | float:
    """The weights that count, where nodes lack a resource for each node."""
    if view.release.absent_counts:
        return float(sum(weight for _, weight in view.settings.resources))
    if not shares.lacking:
        return shares.weight_sum
    present = shares.of(view, view.resources.capacity) > 0
    divisor: Floats = np.maximum(np.add.reduce(present * shares.weights), 1.0)
    return divisor
