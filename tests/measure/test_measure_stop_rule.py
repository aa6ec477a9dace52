import math
import statistics

import made_up
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cnbench.measuring.stop_rule import (
    FEWEST_FOR_95_PERCENT,
    half_width,
    outer_ranks,
    paired_precision,
    precision,
    remembering,
)


# Counted from 0. Published tables of the sign-test interval give 1 and 6 of 6, 2 and 9 of 10,
# 6 and 15 of 20, 10 and 21 of 30, 40 and 61 of 100, counted from 1.
@pytest.mark.parametrize(
    ("count", "ranks"),
    [
        (0, None), (1, None), (5, None), (6, (0, 5)), (8, (0, 7)), (9, (1, 7)), (10, (1, 8)),
        (15, (3, 11)), (20, (5, 14)), (30, (9, 20)), (100, (39, 60)),
        # Of more than a float holds; by scipy.stats.binom(n, 0.5).
        (1033, (484, 548)), (10_000, (4901, 5098)),
    ],
)  # fmt: skip
def test_ranks_are_those_of_the_tables(count, ranks):
    assert outer_ranks(count) == ranks


@given(st.integers(1, 400), st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]))
def test_ranks_are_the_narrowest_that_cover(count, confidence):
    ranks = outer_ranks(count, confidence)
    below = stats.binom(count, 0.5)
    if ranks is None:
        assert 1 - 2 * below.cdf(0) < confidence + 1e-9
        return
    low, high = ranks
    assert low + high == count - 1
    assert 1 - 2 * below.cdf(low) >= confidence - 1e-9
    if low + 1 < count // 2:
        assert 1 - 2 * below.cdf(low + 1) < confidence + 1e-9


def test_the_fewest_values_are_the_fewest_with_ranks():
    assert outer_ranks(FEWEST_FOR_95_PERCENT - 1) is None
    assert outer_ranks(FEWEST_FOR_95_PERCENT) is not None


VALUES = st.lists(st.floats(1e-3, 1e3), min_size=FEWEST_FOR_95_PERCENT, max_size=50)


@given(VALUES, st.floats(0.1, 10), st.randoms())
def test_a_half_width_scales_and_does_not_mind_the_order(values, factor, random):
    shuffled = random.sample(values, len(values))
    assert half_width(shuffled) == half_width(values)
    assert half_width([v * factor for v in values]) == pytest.approx(half_width(values) * factor)


@given(VALUES)
def test_precision_is_relative_for_ratios_and_absolute_for_differences(values):
    assert precision(values, made_up.ERROR) == remembering(values)
    assert precision(values, made_up.COST) == remembering(values) / statistics.median(values)


def test_blocks_that_resemble_their_neighbours_count_for_fewer():
    jumping = [1.0, 9.0, 3.0, 7.0, 2.0, 8.0, 4.0, 6.0, 5.0, 1.5, 8.5, 2.5]
    wandering = sorted(jumping)
    assert remembering(jumping) == half_width(jumping)
    assert remembering(wandering) > 2 * half_width(wandering)


def test_the_precision_of_a_pair_is_blind_to_what_both_share():
    drift = [1.0, 2.0, 3.0, 5.0, 8.0, 13.0]
    assert paired_precision(drift, [2 * v for v in drift], made_up.COST) == pytest.approx(0)
    assert paired_precision(drift, [2 + v for v in drift], made_up.ERROR) == pytest.approx(0)
    swinging = [v * factor for v, factor in zip(drift, [1.1, 1 / 1.1] * 3, strict=True)]
    assert paired_precision(drift, swinging, made_up.COST) == pytest.approx(math.log(1.1))
    assert paired_precision([1.0] * 5, [1.0] * 5, made_up.COST) == math.inf


def test_too_few_values_have_no_bound():
    assert half_width([1.0] * 5) == precision([1.0] * 5, made_up.COST) == math.inf
    assert precision([], made_up.ERROR) == math.inf
