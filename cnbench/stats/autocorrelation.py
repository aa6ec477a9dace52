"""Intervals of series that remember: a machine that wanders makes neighbouring blocks alike.

Measured coverage of a nominal 95 % for a first-order autoregression of 0.5 and 0.8, through
``cnbench compare``: 96 and 94 % of 12 blocks, 96 and 96 % of 30, where blocks taken for
independent gave 76 and 48 % (``make evidence``).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from cnbench.core.autocorrelation import FEWEST, MOST, corrected, quantiles_of_ranks, widening
from cnbench.stats.arrays import Floats
from cnbench.stats.distributions import t_quantile
from cnbench.stats.intervals import Interval

# What blocks need that remember by 0.9, the most that is believed: 5.4 to 5.7 times the interval of
# independent ones holds the truth in 95 %, for any number of 6 to 30 (3.4 to 3.6 times for 0.8).
WIDEST = 5.5
# Fewer blocks than this cannot tell memory from chance, and are widened in proportion.
_ENOUGH = 12
# Six independent blocks look as if they remembered in three of ten draws. With one degree of
# freedom for what they are then worth, t made intervals 27 times wider, one of them from 6 µs to
# 1184 s. With two, coverage falls by less than one in a hundred.
_LEAST_FREEDOM = 2
# Two series of 12 blocks that remember by 0.8 look like 0.3 to 0.9, and what an interval lacks for
# one seen too low is more than it has too much for one seen too high. A third more, for two of 12,
# took misses from 10.2 to 6.3 %; of independent blocks' shifts 82 % are found where 87 were.
_DOUBT = 8


def lag_one_of(values: Floats) -> float:
    """``core.autocorrelation.lag_one`` of an array of shape (n,), in a hundredth of the time."""
    if values.size < FEWEST or values.min() == values.max():
        return 0.0
    scores = _normal_scores(values)
    return float(scores[1:] @ scores[:-1] / (scores @ scores))


def _normal_scores(values: Floats) -> Floats:
    order = np.argsort(values)
    in_order = values[order]
    quantiles = _quantiles(values.size)
    scores = np.empty(values.size)
    if (in_order[1:] > in_order[:-1]).all():
        scores[order] = quantiles
        return scores
    # Equal values share the middle of their first and last.
    first = np.concatenate([[0], np.flatnonzero(in_order[1:] != in_order[:-1]) + 1])
    last = np.concatenate([first[1:], [values.size]]) - 1
    scores[order] = np.repeat((quantiles[first] + quantiles[last]) / 2, last - first + 1)
    return scores


@lru_cache(maxsize=64)
def _quantiles(n: int) -> Floats:
    """``quantiles_of_ranks`` as an array, which all series of one length share."""
    return np.array(quantiles_of_ranks(n))


def remembered(correlations: list[float], n: int) -> float:
    """The autocorrelation (0 to 0.9) that series of ``n`` blocks each, of one group, show together.

    ``correlations`` are theirs as ``lag_one`` gives them. Their mean scatters less than each does,
    and is believed to be higher by the share ``_DOUBT`` of what it rests on.
    """
    if not correlations:
        return 0.0
    believed = corrected(sum(correlations) / len(correlations), n)
    return min(believed * (1 + _DOUBT / (n * len(correlations))), MOST)


def worth(correlation: float, n: int) -> float:
    """As how many independent blocks ``n`` that remember know their mean: n (1 - r) / (1 + r).

    Bayley & Hammersley, Supplement to JRSS 8 (1946) 184-197. At least one.
    """
    return n / widening(correlation, n) ** 2


def freedom_of(correlation: float, n: int) -> float:
    """The degrees of freedom of the spread of ``n`` blocks that remember, two at least."""
    return max(worth(correlation, n) - 1, _LEAST_FREEDOM)


def widened(interval: Interval, correlation: float, n: int) -> Interval:
    """``interval``, a 95 % one that takes ``n`` blocks for independent, for blocks that remember.

    Wider by ``core.autocorrelation.widening``, and by what Student's t says of so few independent
    blocks as they are ``worth``; by ``WIDEST`` at most, less of fewer than twelve.
    """
    if correlation == 0 or n < FEWEST or not interval.bounded:
        return interval
    errors = widening(correlation, n) * _t(freedom_of(correlation, n)) / _t(n - 1)
    factor = max(1.0, min(errors, WIDEST * min(1.0, n / _ENOUGH)))
    return _with_reaches(interval, factor * _reaches(interval))


def widened_as_blocks(interval: Interval, blocks: Interval, correlation: float, n: int) -> Interval:
    """``interval``, of set-ups that were sampled in turn, for blocks that remember.

    ``blocks`` is that of all ``n`` blocks, taken one by one. What the set-ups' medians differ by
    does not show a wandering that they share: of six set-ups and an autocorrelation of 0.8, 13 % of
    intervals missed that were widened themselves, 5 % that have the squares of what the blocks' own
    interval gains added.
    """
    if not (interval.bounded and blocks.bounded):
        return interval
    gained = _reaches(widened(blocks, correlation, n)) ** 2 - _reaches(blocks) ** 2
    return _with_reaches(interval, np.sqrt(_reaches(interval) ** 2 + gained))


def _reaches(interval: Interval) -> Floats:
    """How far ``interval`` reaches below and above its estimate, shape (2,)."""
    return np.array([interval.estimate - interval.low, interval.high - interval.estimate])


def _with_reaches(interval: Interval, reaches: Floats) -> Interval:
    below, above = map(float, reaches)
    return Interval(interval.estimate, interval.estimate - below, interval.estimate + above)


def _t(freedom: float) -> float:
    """How many standard errors hold 95 %."""
    return t_quantile(freedom, 0.975)
