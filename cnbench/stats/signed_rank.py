"""The pseudomedian of what is symmetric about it, such as differences inside blocks.

Twelve normal blocks know it to 2.2 standard errors where the sign test's interval needs 2.7, and
an outlier counts for its rank alone. Measured coverage of a nominal 95 % (``make evidence``): 95 to
97 % for normal, skewed and outlying blocks, whose differences are symmetric as long as A and B
have one shape.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from cnbench.stats.arrays import Floats, as_values, median
from cnbench.stats.distributions import normal_quantile
from cnbench.stats.intervals import Interval, blocks_needed, median_interval

# All pairs of more values than this would fill the memory, and their median does as well.
_MOST = 1000
# Above this many values the exact distribution and the normal one give the same rank.
_EXACT = 60


def pseudomedian_interval(values: npt.ArrayLike, confidence: float = 0.95) -> Interval:
    """The median of all means of two of ``values`` (shape (n,), any unit), and its interval.

    Hodges & Lehmann, Annals of Mathematical Statistics 34 (1963) 598-611; the interval is that of
    Wilcoxon's signed-rank test (Tukey 1949; Hollander, Wolfe & Chicken, Nonparametric Statistical
    Methods, 3rd ed., 2014, section 3.3), interpolated between neighbouring ranks as that of
    ``median_interval`` is. It assumes independent values that are symmetric about it.

    With fewer than ``blocks_needed`` values both ends are infinite; of more than a thousand values
    it is their median that is given, as ``median_interval`` does.

    Raises:
        CnbenchError: no values, or one that is not finite.
        ValueError: a confidence below 0.5, or 1 and above.
    """
    array = as_values(values)
    if array.size > _MOST:
        return median_interval(array, confidence)
    means = np.sort(_means_of_two(array))
    estimate = median(means)
    if array.size < blocks_needed(confidence):
        return Interval(estimate, -math.inf, math.inf)
    rank, fraction = _interpolation(array.size, confidence)
    low = means[rank - 1] + fraction * (means[rank] - means[rank - 1])
    high = means[-rank] - fraction * (means[-rank] - means[-rank - 1])
    return Interval(estimate, min(float(low), estimate), max(float(high), estimate))


def pseudomedian(values: npt.ArrayLike) -> float:
    """The estimate of ``pseudomedian_interval`` alone."""
    array = as_values(values)
    return median(array if array.size > _MOST else _means_of_two(array))


def _means_of_two(values: Floats) -> Floats:
    """The means of all pairs of ``values``, each with itself too."""
    first, second = _pairs(values.size)
    means: Floats = values[first] / 2 + values[second] / 2
    return means


@lru_cache(maxsize=16)
def _pairs(n: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    first, second = np.triu_indices(n)
    return first, second


@lru_cache(maxsize=1024)
def _interpolation(n: int, confidence: float) -> tuple[int, float]:
    """The rank (from 1) of the outer mean of two, and how far to go to the next one inwards."""
    tail = (1 - confidence) / 2
    if n > _EXACT:
        spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        rank = n * (n + 1) / 4 + normal_quantile(tail) * spread + 0.5
        return max(1, math.floor(rank)), rank - math.floor(rank)
    coverage = 1 - 2 * _signed_rank_cdf(n)
    outer = int(np.flatnonzero(coverage >= confidence - 1e-12)[-1])
    share = (coverage[outer] - confidence) / (coverage[outer] - coverage[outer + 1])
    return outer + 1, float(max(0.0, share))


def _signed_rank_cdf(n: int) -> npt.NDArray[np.float64]:
    """The distribution of the sum of those of the ranks 1 to n that have a positive sign."""
    mass = np.array([1.0])
    for rank in range(1, n + 1):
        longer = np.zeros(mass.size + rank)
        longer[: mass.size] += mass / 2
        longer[rank:] += mass / 2
        mass = longer
    return np.cumsum(mass)
