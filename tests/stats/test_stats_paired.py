"""Effects inside blocks and between runs: known answers, symmetry, refusals, coverage."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.core.errors import CnbenchError
from cnbench.stats.intervals import Interval
from cnbench.stats.paired import (
    paired_difference,
    paired_ratio,
    unpaired_difference,
    unpaired_ratio,
)

POSITIVE = st.floats(1e-9, 1e9)
PAIRS = st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=30)


def test_a_slow_machine_cancels_inside_its_block() -> None:
    weather = np.array([1.0, 5.0, 2.0, 9.0, 1.5, 3.0, 4.0])
    ratio = paired_ratio(weather, weather * 1.25)
    assert [ratio.estimate, ratio.low, ratio.high] == pytest.approx([1.25] * 3)


def test_ratio_by_hand() -> None:
    # The log2 ratios are 0..5, so this is the six blocks of test_stats_intervals.
    ratio = paired_ratio(np.ones(6), 2.0 ** np.arange(6))
    assert ratio.estimate == pytest.approx(2**2.5)
    assert ratio.low == pytest.approx(2 ** (0.5 / 1.4))
    assert ratio.high == pytest.approx(2 ** (5 - 0.5 / 1.4))


def test_difference_is_b_minus_a_with_any_sign() -> None:
    difference = paired_difference([-1.0, 0.0, 2.0], [-3.0, -1.0, 2.0])
    assert difference == Interval(-1.0, -math.inf, math.inf)


def test_one_block_bounds_a_ratio_by_nothing() -> None:
    assert paired_ratio([4.0], [4.0]) == Interval(1.0, 0.0, math.inf)


@pytest.mark.parametrize("compare", [paired_ratio, unpaired_ratio])
def test_a_ratio_refuses_what_is_not_positive_and_says_which(compare: object) -> None:
    with pytest.raises(CnbenchError, match="B: value 1 is 0") as error:
        compare([1.0, 1.0], [1.0, 0.0])  # type: ignore[operator]
    assert "additive" in error.value.remedy


def test_pairs_need_both_in_every_block() -> None:
    with pytest.raises(CnbenchError, match="A has 2 blocks and B has 1"):
        paired_difference([1.0, 2.0], [1.0])


@given(PAIRS)
def test_swapping_a_and_b_inverts_the_ratio(pairs: list[tuple[float, float]]) -> None:
    a, b = np.array(pairs).T
    there, back = paired_ratio(a, b), paired_ratio(b, a)
    assert back.estimate * there.estimate == pytest.approx(1)
    if there.bounded:
        assert back.low * there.high == pytest.approx(1)
        assert back.high * there.low == pytest.approx(1)


@given(PAIRS, st.floats(1e-3, 1e3))
def test_the_unit_leaves_a_ratio_as_it_is(pairs: list[tuple[float, float]], unit: float) -> None:
    a, b = np.array(pairs).T
    here, there = paired_ratio(a, b), paired_ratio(a * unit, b * unit)
    assert [there.estimate, there.low, there.high] == pytest.approx(
        [here.estimate, here.low, here.high]
    )


@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_blocks_does_not_matter(
    pairs: list[tuple[float, float]], random: object
) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert paired_ratio(*np.array(pairs).T) == paired_ratio(*np.array(shuffled).T)
    assert unpaired_ratio(*np.array(pairs).T, draws=50) == unpaired_ratio(
        *np.array(shuffled).T, draws=50
    )


@given(PAIRS, PAIRS)
def test_unpaired_intervals_contain_their_estimate(
    first: list[tuple[float, float]], second: list[tuple[float, float]]
) -> None:
    a, b = np.array(first)[:, 0], np.array(second)[:, 1]
    for interval in (unpaired_difference(a, b, draws=50), unpaired_ratio(a, b, draws=50)):
        assert interval.low <= interval.estimate <= interval.high
        assert interval.bounded == (min(len(a), len(b)) >= 6)


def test_the_same_seed_gives_the_same_interval() -> None:
    a, b = np.random.default_rng(1).lognormal(size=(2, 20))
    assert unpaired_ratio(a, b) == unpaired_ratio(a, b)
    assert unpaired_ratio(a, b) != unpaired_ratio(a, b, seed=1)


def test_pairing_sees_through_weather_that_separate_runs_do_not() -> None:
    rng = np.random.default_rng(2)
    weather = rng.lognormal(0, 0.3, 30)
    a = weather * rng.lognormal(0, 0.01, 30)
    b = 1.05 * weather * rng.lognormal(0, 0.01, 30)
    assert paired_ratio(a, b).low > 1.03
    assert unpaired_ratio(a, b).low < 1 < unpaired_ratio(a, b).high


@pytest.mark.parametrize(("blocks_a", "blocks_b"), [(6, 6), (8, 20), (30, 30)])
@pytest.mark.parametrize("distribution", ["standard_normal", "standard_exponential"])
def test_unpaired_coverage(blocks_a: int, blocks_b: int, distribution: str) -> None:
    rng = np.random.default_rng(7)
    draw = getattr(rng, distribution)
    covered = 0
    for _ in range(600):
        interval = unpaired_difference(draw(blocks_a), draw(blocks_b), draws=400)
        covered += interval.low <= 0 <= interval.high
    assert 0.92 <= covered / 600 <= 0.995
