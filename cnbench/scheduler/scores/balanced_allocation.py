"""BalancedAllocation: how alike the used fractions of the resources would be.

Source: kubernetes noderesources/balanced_allocation.go, in float64 and in the same order of
operations. Unlike LeastAllocated it counts what pods request, without defaults, since 1.22.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnbench.scheduler import loops
from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Floats, Ints
from cnbench.scheduler.columns.exact import MAX_SCORE, whole
from cnbench.scheduler.columns.resources import PERCENT
from cnbench.scheduler.scores.resource_shares import ResourceShares, resource_shares
from cnbench.scheduler.settings import CPU_AND_MEMORY
from cnbench.scheduler.view import View

NAME = "BalancedAllocation"


def raw(view: View, shape: PodShape) -> Ints:
    """floor((1 - sigma) * 100), sigma the standard deviation of the used fractions (int64).

    Each fraction is capped at 1; resources a node has none of are left out. For two fractions
    sigma is half their difference, for fewer 0. Before 1.22 it is all of the difference of cpu and
    memory, defaults counted, and a node that is full of either scores 0. Since 1.33 a pod that
    requests none of them is not scored. Since 1.36 the score is
    50 + floor((50 + with the pod - without it) / 2).
    """
    if view.release.balances_by_difference:
        return _by_difference(view, shape)
    shares = resource_shares(view, shape, view.settings.balanced_resources)
    if not view.release.balances_best_effort and not shares.requested.any():
        return view.zeros()
    if not shares.rows:
        return np.full(view.size, MAX_SCORE, dtype=np.int64)
    after = _evenness(view, shares, shares.requested)
    if not view.release.balances_change:
        return after
    half = MAX_SCORE // 2
    before = _evenness(view, shares, np.zeros_like(shares.requested))
    return half + (half + after - before) // 2


def _by_difference(view: View, shape: PodShape) -> Ints:
    shares = resource_shares(view, shape, CPU_AND_MEMORY, all_of_them=True)
    capacity = shares.of(view, view.resources.capacity)
    left = view.columns(view.resources.left(shares.rows)) - shares.scored
    used = capacity - left / PERCENT
    fractions = np.where(capacity > 0, used / np.maximum(capacity, 1.0), 1.0)
    balance = (1.0 - np.abs(fractions[0] - fractions[1])) * MAX_SCORE
    return whole(np.where(fractions.max(axis=0) >= 1.0, 0.0, balance))


def _evenness(view: View, shares: ResourceShares, added: Floats) -> Ints:
    """The score of what is used of these resources with so much added to each, (resources, 1)."""
    resources = view.resources
    used, divisor = shares.of(view, resources.used), shares.of(view, resources.divisor)
    if len(shares.rows) == 2 and not shares.lacking:
        return loops.balanced_allocation(used, added, divisor)
    fractions: Floats = np.minimum((used + added) / divisor, 1.0)
    balance = 1.0 - _deviation(fractions, shares.of(view, resources.capacity) > 0)
    return whole(balance * MAX_SCORE)


def _deviation(fractions: Floats, present: NDArray[np.bool_]) -> Floats:
    """The standard deviation per node over the resources it has; 0 for fewer than two."""
    number: Floats = np.add.reduce(present, axis=0, dtype=np.float64)
    total = np.zeros(len(number))
    for fraction, mask in zip(fractions, present, strict=True):
        total += np.where(mask, fraction, 0.0)
    mean = total / np.maximum(number, 1.0)
    squares = np.zeros(len(number))
    for fraction, mask in zip(fractions, present, strict=True):
        squares += np.where(mask, (fraction - mean) * (fraction - mean), 0.0)
    sigma = np.sqrt(squares / np.maximum(number, 1.0))
    highest = np.max([np.where(m, f, 0.0) for f, m in zip(fractions, present, strict=True)], axis=0)
    lowest = np.min([np.where(m, f, 1.0) for f, m in zip(fractions, present, strict=True)], axis=0)
    sigma = np.where(number == 2, (highest - lowest) / 2, sigma)
    return np.where(number < 2, 0.0, sigma)
