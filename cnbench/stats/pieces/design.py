"""Which size to measure next, so that a break is found with few points.

A curve is straight where each point lies on the line between its neighbours. Where one does not, a
break is near: the interval beside it is halved, until the break is known well enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

# Between sizes further apart than this factor, the middle is that of their logarithms.
_FAR = 8.0
# An interval whose ends are this near is not worth halving.
_NEAR = 1.1
# Standard deviations that a point must be off the line of its neighbours.
_OFF = 4.0
_PARTS = (1 / 8, 1 / 4, 1 / 2)


def first_sizes(low: int, high: int) -> list[int]:
    """Where to begin: both ends, and few between, more of them where small sizes are."""
    inner = (low + round((high - low) * part) for part in _PARTS)
    return sorted({low, *inner, high})


def next_size(sizes: Sequence[int], costs: Sequence[float], noise: Sequence[float]) -> int | None:
    """The size to measure next, or None where the curve is straight or its breaks are known.

    Args:
        sizes: those measured, rising.
        costs: one for each.
        noise: the standard deviation of each, in the unit of the costs.
    """
    off = _off_the_line(sizes, costs, noise)
    best, wanted = 0.0, None
    for index, (left, right) in enumerate(pairwise(sizes)):
        bend = max(off[index], off[index + 1])
        width = math.log((right + 1) / (left + 1))
        middle = _middle(left, right)
        if bend < _OFF or right < _NEAR * left or middle in (left, right):
            continue
        if bend * width > best:
            best, wanted = bend * width, middle
    return wanted


def _off_the_line(
    sizes: Sequence[int], costs: Sequence[float], noise: Sequence[float]
) -> list[float]:
    """How far each point is from the line between its neighbours, in standard deviations.

    An end has no neighbours on one side, and is 0.
    """
    found = [0.0] * len(sizes)
    for index in range(1, len(sizes) - 1):
        around = [index - 1, index + 1]
        x, y, s = ([values[place] for place in around] for values in (sizes, costs, noise))
        share = (sizes[index] - x[0]) / (x[1] - x[0])
        expected = y[0] + share * (y[1] - y[0])
        spread = np.hypot(noise[index], np.hypot((1 - share) * s[0], share * s[1]))
        found[index] = float(abs(costs[index] - expected) / spread)
    return found


def _middle(left: int, right: int) -> int:
    if right > _FAR * max(left, 1):
        return round(math.sqrt(max(left, 1) * right))
    return (left + right) // 2
