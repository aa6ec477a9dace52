"""Resampled medians, for quantities that are made of several medians.

For a single median the bootstrap undercovers (see ``intervals``); for differences and fits of
several medians it does not, since the sums of their draws have many more points. Its users still
ask for ``blocks_needed`` blocks of each: with 3 blocks a nominal 95 % covered 87 %, with 4 91 %.
"""

from __future__ import annotations

import numpy as np

from cnbench.stats.arrays import Floats
from cnbench.stats.intervals import Interval

DRAWS = 2000
SEED = 20_240_229


def resampled_medians(values: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Medians of ``draws`` resamples of ``values`` (shape (n,)), drawn with replacement.

    Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979) 1-26.
    The values are sorted first, so the draws depend on the values and not on their order.

    Returns:
        Shape (draws,), in the unit of ``values``.
    """
    picks = rng.integers(0, values.size, size=(draws, values.size))
    medians: Floats = np.median(np.sort(values)[picks], axis=1)
    return medians


def percentile_interval(estimate: float, draws: Floats, confidence: float) -> Interval:
    """The central ``confidence`` of bootstrap ``draws`` (shape (draws,)) around ``estimate``.

    Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapter 13. Draws may be infinite;
    ends are draws, not averages of draws, so that an infinite one stays infinite. The interval is
    widened where needed to hold the estimate.
    """
    tail = (1 - confidence) / 2
    low = float(np.quantile(draws, tail, method="lower"))
    high = float(np.quantile(draws, 1 - tail, method="higher"))
    return Interval(estimate, min(low, estimate), max(high, estimate))
