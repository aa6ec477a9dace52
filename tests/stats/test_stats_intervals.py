"""The median's interval: known answers, invariances, and the coverage it promises."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.core.errors import CnbenchError
from cnbench.stats.intervals import Interval, blocks_needed, median_interval

VALUES = st.lists(
    st.floats(-1e6, 1e6).map(lambda v: round(v, 6)),  # no subnormals: scaling must be reversible
    min_size=1,
    max_size=40,
)


def test_six_blocks_by_hand() -> None:
    # Coverage of (x1, x6) is 1 - 2/64 = 31/32, of (x2, x5) 1 - 14/64 = 25/32. The share of the
    # way from 31/32 to 25/32 at which 95 % lies is (31/32 - 0.95) / (6/32) = 0.1; interpolated,
    # (6 - 1) * 0.1 / (1 + (6 - 2) * 0.1) = 0.5 / 1.4.
    interval = median_interval([5, 0, 3, 1, 4, 2])
    assert interval.estimate == 2.5
    assert interval.low == pytest.approx(0.5 / 1.4)
    assert interval.high == pytest.approx(5 - 0.5 / 1.4)


def test_a_confidence_that_order_statistics_keep_exactly_needs_no_interpolation() -> None:
    assert median_interval(range(6), confidence=25 / 32) == Interval(2.5, 1, 4)


@pytest.mark.parametrize(
    ("confidence", "blocks"), [(0.5, 2), (0.75, 3), (0.9, 5), (0.95, 6), (0.99, 8)]
)
def test_blocks_needed_is_where_the_extremes_keep_the_confidence(
    confidence: float, blocks: int
) -> None:
    assert blocks_needed(confidence) == blocks
    assert 1 - 2.0 ** (1 - blocks) >= confidence > 1 - 2.0 ** (2 - blocks)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_too_few_blocks_give_an_estimate_without_bounds(count: int) -> None:
    interval = median_interval([7.0] * count)
    assert interval == Interval(7.0, -math.inf, math.inf)
    assert not interval.bounded


def test_equal_values_give_zero_width() -> None:
    assert median_interval([0.1] * 9) == Interval(0.1, 0.1, 0.1)
    assert median_interval([0.1] * 9).half_width == 0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "no values"),
        ([1.0, math.nan], "value 1 is nan"),
        ([math.inf], "value 0 is inf"),
        ([[1.0], [2.0]], "one value a block"),
    ],
)
def test_unusable_values_are_named(values: list[float], words: str) -> None:
    with pytest.raises(CnbenchError, match=words):
        median_interval(values)


@pytest.mark.parametrize("confidence", [0.49, 1.0, 95])
def test_a_confidence_is_from_a_half_to_below_one(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        median_interval([1.0, 2.0], confidence)


@given(VALUES, st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]))
def test_contains_its_estimate_which_is_the_median(values: list[float], confidence: float) -> None:
    interval = median_interval(values, confidence)
    assert interval.low <= interval.estimate <= interval.high
    assert interval.estimate == pytest.approx(np.median(values))


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_blocks_does_not_matter(values: list[float], random: object) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert median_interval(shuffled) == median_interval(values)


@given(VALUES, st.sampled_from([2.0**-20, 0.5, 4.0, 2.0**30]))
def test_another_unit_scales_the_interval(values: list[float], unit: float) -> None:
    scaled = median_interval([v * unit for v in values])
    assert scaled == median_interval(values).map(lambda v: v * unit)


@given(VALUES)
def test_the_other_sign_mirrors_the_interval(values: list[float]) -> None:
    interval = median_interval(values)
    mirrored = median_interval([-v for v in values])
    assert mirrored.estimate == -interval.estimate
    assert mirrored.low == pytest.approx(-interval.high)
    assert mirrored.high == pytest.approx(-interval.low)


@given(VALUES)
def test_more_confidence_is_never_narrower(values: list[float]) -> None:
    wide, narrow = median_interval(values, 0.99), median_interval(values, 0.9)
    slack = 1e-9 * (1 + abs(narrow.estimate))
    assert wide.low <= narrow.low + slack
    assert wide.high >= narrow.high - slack


@pytest.mark.parametrize("blocks", [6, 7, 10, 30])
@pytest.mark.parametrize(
    ("distribution", "median"),
    [("standard_normal", 0.0), ("standard_exponential", math.log(2)), ("lognormal", 1.0)],
)
def test_coverage_is_the_one_promised(blocks: int, distribution: str, median: float) -> None:
    rng = np.random.default_rng(6)
    draw = getattr(rng, distribution)
    covered = 0
    for _ in range(2000):
        interval = median_interval(draw(size=blocks))
        covered += interval.low <= median <= interval.high
    # The standard error of 2000 draws at 95 % is 0.5 %.
    assert 0.93 <= covered / 2000 <= 0.97
