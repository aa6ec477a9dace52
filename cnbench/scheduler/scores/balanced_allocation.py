"""BalancedAllocation: how alike the used fractions of the resources would be.

Source: kubernetes noderesources/balanced_allocation.go (the formula of 1.22 and later, for every
release), in float64 and in the same order of operations. Unlike LeastAllocated it counts what
pods request, without defaults.
"""

from collections.abc import Sequence

import numpy as np

from cnbench.scheduler.arrays import Floats, Ints, Mask
from cnbench.scheduler.cluster import Shape
from cnbench.scheduler.exact import MAX_SCORE
from cnbench.scheduler.scores.least_allocated import Weights, counted
from cnbench.scheduler.view import View

NAME = "BalancedAllocation"


def raw(view: View, shape: Shape, weights: Weights) -> Ints:
    """floor((1 - sigma) * 100), sigma the standard deviation of the used fractions (int64).

    Each fraction is capped at 1; resources a node has none of are left out. For two fractions
    sigma is half their difference, for fewer 0. Since 1.33 a pod that requests none of them is
    not scored.
    """
    resources = view.cluster.resources
    taking_part = counted(view.cluster, shape, weights)
    amounts = {row: shape.demand.amount(name) for name, row, _ in taking_part}
    if not view.release.balances_best_effort and not any(amounts.values()):
        return view.zeros()
    rows = list(amounts)
    fractions = [_fraction(view, row, amount) for row, amount in amounts.items()]
    if len(rows) == 2 and not resources.lacking[rows].any():
        sigma = np.subtract(fractions[0], fractions[1], out=fractions[0])
        np.abs(sigma, out=sigma)
        sigma *= 0.5
    else:
        sigma = _deviation(fractions, [view.column(resources.capacity[row]) > 0 for row in rows])
    balance = np.subtract(1.0, sigma, out=sigma)
    balance *= MAX_SCORE
    return balance.astype(np.int64)


def _fraction(view: View, row: int, amount: float) -> Floats:
    resources = view.cluster.resources
    fraction = view.column(resources.used[row]) + amount
    np.divide(fraction, view.column(resources.divisor[row]), out=fraction)
    # Looking for the highest is cheaper than cutting, and nodes are rarely overcommitted.
    return np.minimum(fraction, 1.0, out=fraction) if fraction.max(initial=0.0) > 1.0 else fraction


def _deviation(fractions: Sequence[Floats], present: Sequence[Mask]) -> Floats:
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
