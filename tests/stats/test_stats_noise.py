"""Noise floor and smallest detectable effect: by hand, and the power by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.stats.intervals import Interval, median_interval
from cnbench.stats.noise import noise_floor, smallest_detectable


def test_the_floor_holds_the_offset_of_the_pair() -> None:
    assert noise_floor(Interval(0.02, 0.01, 0.03), scale="additive") == 0.03
    assert noise_floor(Interval(-0.02, -0.05, 0.01), scale="additive") == 0.05
    assert noise_floor(Interval(1.01, 1.0, 1.02), scale="ratio") == pytest.approx(0.02)


def test_a_ratio_and_its_inverse_are_the_same_size_of_noise() -> None:
    assert noise_floor(Interval(0.9, 0.8, 1.0), scale="ratio") == pytest.approx(0.25)
    assert noise_floor(Interval(1.1, 1.0, 1.25), scale="ratio") == pytest.approx(0.25)


def test_a_pair_that_repeats_exactly_has_no_noise() -> None:
    assert noise_floor(Interval(1.0, 1.0, 1.0), scale="ratio") == 0
    assert smallest_detectable(Interval(1.0, 1.0, 1.0), scale="ratio") == 0


def test_without_bounds_nothing_can_be_told_apart() -> None:
    assert noise_floor(Interval(1.0, 0.0, math.inf), scale="ratio") == math.inf
    assert noise_floor(Interval(0.0, -math.inf, math.inf), scale="additive") == math.inf
    assert smallest_detectable(Interval(1.0, 0.0, math.inf), scale="ratio") == math.inf
    assert smallest_detectable(Interval(1.0, 1e-300, 1e300), scale="ratio") == math.inf


def test_smallest_detectable_by_hand() -> None:
    # z of 95 % is 1.95996, of a power of 80 % 0.84162: (1.95996 + 0.84162) / 1.95996 = 1.4294.
    effect = Interval(5.0, 4.0, 6.0)
    assert smallest_detectable(effect, scale="additive") == pytest.approx(1.4294, abs=1e-4)
    assert smallest_detectable(effect, scale="additive", power=0.5) == pytest.approx(1)


@pytest.mark.parametrize("ratio", [Interval(-1.0, -2.0, 1.0), Interval(0.0, 0.0, 0.0)])
def test_a_ratio_is_positive(ratio: Interval) -> None:
    with pytest.raises(ValueError, match="positive"):
        noise_floor(ratio, scale="ratio")


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="power"):
        smallest_detectable(Interval(1, 1, 1), scale="ratio", power=80)
    with pytest.raises(ValueError, match="must be numbers"):
        noise_floor(Interval(0, math.nan, math.nan), scale="additive")


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=30))
def test_the_floor_is_never_below_the_offset(blocks: list[float]) -> None:
    additive = median_interval(blocks)
    assert noise_floor(additive, scale="additive") >= abs(additive.estimate)
    ratio = additive.map(math.exp)
    assert noise_floor(ratio, scale="ratio") >= ratio.estimate - 1 - 1e-12


@pytest.mark.parametrize("blocks", [6, 10, 30])
@pytest.mark.parametrize("distribution", ["normal", "laplace"])
def test_the_smallest_detectable_effect_is_detected_with_about_the_power(
    blocks: int, distribution: str
) -> None:
    draw = getattr(np.random.default_rng(8), distribution)
    intervals = [median_interval(draw(size=blocks)) for _ in range(1500)]
    effect = np.median([smallest_detectable(i, scale="additive") for i in intervals])
    detected = np.mean([i.low + effect > 0 for i in intervals])
    assert 0.65 <= detected <= 0.9
