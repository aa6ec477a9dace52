"""Resampled medians have the distribution of the medians of whole resamples."""

import math
from itertools import product

import numpy as np
import pytest

from cnbench.stats.bootstrap import percentile_interval, resampled_medians


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_draws_have_the_exact_distribution(count: int) -> None:
    values = np.arange(count, dtype=np.float64)
    values **= 2  # so that different pairs have different middles
    every_resample = np.array(list(product(values, repeat=count)))
    expected, times = np.unique(np.median(every_resample, axis=1), return_counts=True)
    draws = 40_000
    drawn = resampled_medians(values, draws, np.random.default_rng(12))
    assert set(drawn) <= set(expected)
    shares = np.array([np.mean(drawn == value) for value in expected])
    # Five standard errors of a share of one half.
    assert np.abs(shares - times / times.sum()).max() < 5 * 0.5 / math.sqrt(draws)


def test_percentiles_by_hand() -> None:
    interval = percentile_interval(50.0, np.arange(101.0), 0.5)
    assert (interval.low, interval.high) == (25, 75)


def test_an_infinite_draw_is_not_averaged() -> None:
    interval = percentile_interval(1.0, np.array([1.0, 1.0, math.inf]), 0.95)
    assert (interval.low, interval.high) == (1, math.inf)


def test_the_interval_is_widened_to_hold_the_estimate() -> None:
    interval = percentile_interval(9.0, np.arange(5.0), 0.5)
    assert interval.low <= interval.estimate == interval.high == 9
