"""Chances and quantiles of the few distributions that intervals rest on.

What the standard library and numpy have is taken from there. Importing ``scipy.special`` takes 0.2
of the 0.7 s that `cnbench show` does (scipy 1.17 has all of numpy imported for other libraries'
arrays), so it is imported by whoever asks for Student's t of few degrees.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from cnbench.stats.arrays import Floats

_NORMAL = NormalDist()
# From here on the four terms of the expansion leave less than 1e-8 at the chances of intervals.
_MANY = 100.0


def normal_quantile(chance: float) -> float:
    """What a standard normal number stays below with ``chance`` (above 0, below 1)."""
    return _NORMAL.inv_cdf(chance)


def normal_chance(value: float) -> float:
    """How likely a standard normal number is below ``value``; exact far out in the lower tail."""
    return math.erfc(-value / math.sqrt(2)) / 2


@lru_cache(maxsize=1024)
def t_quantile(freedom: float, chance: float) -> float:
    """What Student's t with ``freedom`` degrees stays below with ``chance`` (above 0, below 1).

    Of many degrees by Fisher & Cornish's expansion (Abramowitz & Stegun, Handbook of Mathematical
    Functions, 1964, 26.7.5), whose error is below 1e-7 of it for chances from 1e-6 to 1 - 1e-6.
    """
    if freedom >= _MANY:
        return _expanded(freedom, normal_quantile(chance))
    from scipy.special import stdtrit

    return float(stdtrit(freedom, chance))


def _expanded(freedom: float, z: float) -> float:
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return sum(term / freedom**power for power, term in enumerate(terms))


def t_chance(freedom: float, value: float) -> float:
    """How likely Student's t with ``freedom`` degrees is below ``value``."""
    from scipy.special import stdtr

    return float(stdtr(freedom, value))


def heads_at_most(n: int) -> Floats:
    """How likely ``n`` fair coins show k heads at most, k from 0 to n // 2; shape (n // 2 + 1,).

    That many of n values lie below the median. By logarithms, which have room for any n.
    """
    heads = np.arange(n // 2)
    logarithms = np.concatenate([[0.0], np.cumsum(np.log(n - heads) - np.log(heads + 1))])
    return np.cumsum(np.exp(logarithms - n * math.log(2)))
