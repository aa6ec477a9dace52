"""Which of many nodes are not like the others, by the chance of naming one that is.

The rate holds where nodes that are alike differ normally (on the scale of differences: logarithms
for ratios). ``docs/statistics.md`` has how often it was kept, and what tails of another kind do to
it; ``look_normal`` is how a report knows that it must say so.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import shapiro

from cnbench.stats.arrays import Floats
from cnbench.stats.distributions import t_quantile

Flags: TypeAlias = npt.NDArray[np.bool_]

# Of a fleet in which more than this are odd it is no longer clear who is.
_MOST = 0.25
# Two are never odd to each other, and of three the scatter of two says nothing.
FEWEST = 4
_FEWEST_WITH_A_SHAPE = 8


def odd_ones(values: Floats, rate: float) -> Flags:
    """Which of ``values`` (shape (n,), one a node, on the scale of differences) are odd.

    The generalised extreme Studentised deviate: the value furthest from the mean is taken out, up
    to a quarter of them, and each time held against what the furthest of so many would be by
    chance. The last that is beyond it, and all taken out before it, are odd: so several that hide
    each other by widening the scatter are found (Rosner, "Percentage points for a generalized ESD
    many-outlier procedure", Technometrics 25 (1983) 165-172).

    ``rate`` is the chance that any is named where all are drawn from one normal distribution: of
    the whole family, however many nodes there are.

    Raises:
        ValueError: a rate that is not between 0 and 1.
    """
    if not 0 < rate < 1:
        raise ValueError(f"a rate of false alarms is between 0 and 1, not {rate}")
    odd = np.zeros(values.size, dtype=np.bool_)
    left = np.arange(values.size)
    taken: list[int] = []
    for _ in range(_most_odd(values.size)):
        there = values[left]
        distances = np.abs(there - there.mean())
        furthest = int(distances.argmax())
        spread = float(there.std(ddof=1))
        taken.append(int(left[furthest]))
        left = np.delete(left, furthest)
        if spread and distances[furthest] / spread > _furthest_by_chance(there.size, rate):
            odd[taken] = True
    return odd


def look_normal(values: Floats, level: float = 0.01) -> bool:
    """Whether nothing speaks against ``values`` (shape (n,)) being of a normal distribution.

    The test of Shapiro & Wilk at ``level`` (Biometrika 52 (1965) 591-611); of fewer than eight
    values, or equal ones, nothing is known.
    """
    known = values.size >= _FEWEST_WITH_A_SHAPE and float(np.ptp(values)) > 0
    return not known or float(shapiro(values).pvalue) > level


def _most_odd(n: int) -> int:
    return max(1, math.floor(_MOST * n)) if n >= FEWEST else 0


def _furthest_by_chance(n: int, rate: float) -> float:
    """What the furthest of ``n`` normal values is from their mean, exceeded at ``rate``.

    In standard deviations; by Bonferroni over the n, which for so small rates is all but exact.
    """
    t = t_quantile(n - 2, 1 - rate / (2 * n))
    return (n - 1) * t / math.sqrt((n - 2 + t * t) * n)
