"""When a case has been sampled enough.

The analysis side computes intervals by bootstrap; here, where only the standard library is at hand,
the rule uses the distribution-free interval of the median between two order statistics (Conover,
Practical Nonparametric Statistics, 3rd ed., 3.2: how many values lie below the median is binomial),
wider where blocks remember. What set-ups differ by is no reason to go on: no block makes it less.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import cache

from cnbench.core.autocorrelation import corrected, lag_one, widening
from cnbench.core.metric import Metric

# The fewest values whose extremes hold the median with 95 % confidence: 1 - 2 / 2**6 = 96.9 %.
FEWEST_FOR_95_PERCENT = 6


@cache
def outer_ranks(count: int, confidence: float = 0.95) -> tuple[int, int] | None:
    """The ranks (from 0) of the sorted values that hold the median with at least ``confidence``.

    Returns:
        The narrowest symmetric pair, or None where even the extremes do not reach it.
    """
    tail_allowed = (1 - confidence) / 2
    # In whole numbers, which no count is too large for: those of all outcomes, those of a rank, and
    # those of all ranks up to it.
    outcomes, here, below = 1 << count, 1, 0
    lowest = None
    for rank in range(count // 2):
        below += here
        if below / outcomes > tail_allowed:
            break
        lowest = rank
        here = here * (count - rank) // (rank + 1)
    return None if lowest is None else (lowest, count - 1 - lowest)


def half_width(values: Sequence[float], confidence: float = 0.95) -> float:
    """Half the width of the median's interval, in the values' unit; infinite for too few values."""
    ranks = outer_ranks(len(values), confidence)
    if ranks is None:
        return math.inf
    ordered = sorted(values)
    return (ordered[ranks[1]] - ordered[ranks[0]]) / 2


def remembering(values: Sequence[float]) -> float:
    """``half_width`` of values in their order: where neighbours are alike, fewer of them count."""
    n = len(values)
    return half_width(values) * widening(corrected(lag_one(values), n), n)


def precision(values: Sequence[float], metric: Metric) -> float:
    """The half-width as a share of the median for a ratio metric, as it is for an additive one."""
    width = remembering(values)
    if metric.scale == "additive" or math.isinf(width):
        return width
    return width / abs(statistics.median(values))


def paired_precision(a: Sequence[float], b: Sequence[float], metric: Metric) -> float:
    """The half-width of the effect of ``b`` on ``a``, values of the same blocks in their order.

    Of the blocks' log ratios for a ratio metric, of their differences for an additive one, as
    ``stats/paired.py`` compares them.
    """
    pairs = list(zip(a, b, strict=True))
    if metric.scale == "additive":
        return remembering([after - before for before, after in pairs])
    return remembering([math.log(after / before) for before, after in pairs])
