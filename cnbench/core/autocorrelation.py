"""How much a series remembers of itself, and how much wider an interval that makes.

In the vocabulary, since both sides need the same answer: the stop rule in a guest, which has the
standard library alone, and the statistics.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist

# Below this many values a correlation of neighbours is hardly more than chance.
FEWEST = 6
# An estimate of 0.9 widens 4.4 times; what remembers more than that is no series to average.
MOST = 0.9


def lag_one(values: Sequence[float]) -> float:
    """The correlation of neighbours in ``values`` (any unit), from -1 to 1; 0 for too few of them.

    Of the values' normal scores, in which an outlier is no more than the largest of n (van der
    Waerden 1952; Hájek & Šidák, Theory of Rank Tests, 1967). Equal values share a score.
    """
    if len(values) < FEWEST or min(values) == max(values):
        return 0.0
    scores = _normal_scores(values)
    return sum(a * b for a, b in pairwise(scores)) / sum(score * score for score in scores)


def corrected(correlation: float, n: int) -> float:
    """``correlation``, as ``lag_one`` estimates it from ``n`` values, without its bias.

    The estimate is short of r by (1 + 4r) / n (Marriott & Pope, Biometrika 41 (1954) 390-402).
    Held between 0, since memory is never taken for precision, and ``MOST``.
    """
    if n < FEWEST:
        return 0.0
    return min(max((n * correlation + 1) / (n - 4), 0.0), MOST)


def widening(correlation: float, n: int) -> float:
    """How many times wider the mean of ``n`` values is known that remember by ``correlation``.

    sqrt((1 + r) / (1 - r)), a first-order autoregression's (Bartlett, JRSS 98 (1935) 536-543), and
    no more than sqrt(n): however alike they are, n values are worth one.
    """
    return math.sqrt(min((1 + correlation) / (1 - correlation), max(n, 1)))


def _normal_scores(values: Sequence[float]) -> list[float]:
    """The normal quantile of each value's rank, in the order of the values (Blom 1958)."""
    order = sorted(range(len(values)), key=values.__getitem__)
    quantiles = quantiles_of_ranks(len(values))
    scores = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        score = (quantiles[start] + quantiles[end - 1]) / 2
        for place in order[start:end]:
            scores[place] = score
        start = end
    return scores


@lru_cache(maxsize=64)
def quantiles_of_ranks(n: int) -> tuple[float, ...]:
    """Where ``n`` ordered draws of a normal distribution are expected (Blom 1958)."""
    normal = NormalDist()
    return tuple(normal.inv_cdf((rank - 0.375) / (n + 0.25)) for rank in range(1, n + 1))
