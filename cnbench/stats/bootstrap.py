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
    Only the middle ranks of each resample are drawn. The j-th smallest of n uniform numbers has
    the distribution Beta(j, n - j + 1), and the smallest of the k numbers above it, on what is left
    of the unit interval, Beta(1, k) (Devroye, Non-Uniform Random Variate Generation, 1986, chapter
    5); n times such a number, rounded down, is a rank. This is the same distribution as resampling
    whole samples, at a cost that does not grow with n, and does not depend on the order of values.

    Returns:
        Shape (draws,), in the unit of ``values``.
    """
    n = values.size
    ordered = np.sort(values)
    below, above = (n - 1) // 2, n // 2
    lower = rng.beta(below + 1, n - below, size=draws)
    # Rounding may turn a number just below 1 into 1, which would be the rank after the last.
    medians: Floats = ordered[np.minimum((n * lower).astype(np.intp), n - 1)]
    if below != above:
        upper = lower + (1 - lower) * rng.beta(1, above, size=draws)
        medians = (medians + ordered[np.minimum((n * upper).astype(np.intp), n - 1)]) / 2
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
