"""BalancedAllocation: how alike the used fractions of the resources would be.

Source: kubernetes noderesources/balanced_allocation.go (the formula of 1.22 and later, for every
release), in float64 and in the same order of operations. Unlike LeastAllocated it counts what
pods request, without defaults.
"""

import numpy as np
from numpy.typing import NDArray

from cnbench.scheduler.cluster import Shape
from cnbench.scheduler.columns.arrays import Floats, Ints
from cnbench.scheduler.columns.exact import MAX_SCORE, whole
from cnbench.scheduler.scores.resource_shares import ResourceShares, Weights, resource_shares
from cnbench.scheduler.view import View

NAME = "BalancedAllocation"


def raw(view: View, shape: Shape, weights: Weights) -> Ints:
    """floor((1 - sigma) * 100), sigma the standard deviation of the used fractions (int64).

    Each fraction is capped at 1; resources a node has none of are left out. For two fractions
    sigma is half their difference, for fewer 0. Since 1.33 a pod that requests none of them is
    not scored.
    """
    shares = resource_shares(view, shape, weights)
    if not view.release.balances_best_effort and not shares.requested.any():
        return view.zeros()
    if not shares.rows:
        return np.full(view.size, MAX_SCORE, dtype=np.int64)
    fractions = _fractions(view, shares)
    if len(shares.rows) == 2 and not shares.lacking:
        balance = np.subtract(fractions[0], fractions[1], out=fractions[0])
        np.abs(balance, out=balance)
        balance *= -0.5
    else:
        balance = -_deviation(fractions, shares.of(view, view.cluster.resources.capacity) > 0)
    balance += 1.0
    balance *= MAX_SCORE
    return whole(balance)


def _fractions(view: View, shares: ResourceShares) -> Floats:
    """The used fraction of each resource, at most 1: (resources, nodes)."""
    resources = view.cluster.resources
    fractions: Floats = np.add(shares.of(view, resources.used), shares.requested)
    np.divide(fractions, shares.of(view, resources.divisor), out=fractions)
    # Looking for the highest is cheaper than cutting, and nodes are rarely overcommitted.
    if fractions.max(initial=0.0) > 1.0:
        np.minimum(fractions, 1.0, out=fractions)
    return fractions


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
