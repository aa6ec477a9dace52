"""Fits and crossings: exact laws, outliers, invariances, coverage."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnbench.core.errors import CnbenchError
from cnbench.stats.arrays import Floats
from cnbench.stats.cases import CostsBySize
from cnbench.stats.crossover import crossover, reached
from cnbench.stats.scaling import linear_difference, linear_fit, power_law

SIZES = np.array([1.0, 100.0, 1000.0, 5000.0])


def exactly(values: Floats, blocks: int = 6) -> list[Floats]:
    return [np.full(blocks, value) for value in values]


def noisy(values: Floats, rng: np.random.Generator, blocks: int) -> list[Floats]:
    return [value * (1 + 0.05 * rng.standard_normal(blocks)) for value in values]


def test_an_exact_power_law_is_found_without_doubt() -> None:
    fit = power_law(SIZES, exactly(3 * SIZES**0.5))
    assert [fit.exponent.low, fit.exponent.high] == pytest.approx([0.5, 0.5])
    assert fit.coefficient.estimate == pytest.approx(3)
    assert fit.misfit == pytest.approx(0, abs=1e-12)


def test_one_departing_case_leaves_the_exponent_and_shows_as_misfit() -> None:
    sizes = np.array([1.0, 10, 100, 1000, 10_000, 100_000, 1e6])
    values = 2 * sizes
    values[-1] *= 5
    fit = power_law(sizes, exactly(values))
    assert fit.exponent.estimate == pytest.approx(1, abs=0.02)
    assert fit.misfit > 3


def test_an_exact_line_is_found_without_doubt() -> None:
    fit = linear_fit(SIZES, exactly(10 + 0.5 * SIZES))
    assert fit.fixed.estimate == pytest.approx(10)
    assert fit.per_unit.estimate == pytest.approx(0.5)
    assert [fit.fixed.low, fit.per_unit.high] == pytest.approx([10, 0.5])
    assert fit.misfit == pytest.approx(0, abs=1e-12)


def test_the_difference_of_two_exact_lines_is_found_without_doubt() -> None:
    one, other = 10 + 0.5 * SIZES, 13 + 0.75 * SIZES
    fixed, per_unit = linear_difference((SIZES, exactly(one)), (SIZES, exactly(other)))
    assert [fixed.low, fixed.estimate, fixed.high] == pytest.approx([3, 3, 3])
    assert [per_unit.low, per_unit.estimate, per_unit.high] == pytest.approx([0.25, 0.25, 0.25])


def test_the_difference_of_a_line_to_itself_is_none_and_its_intervals_say_so() -> None:
    rng = np.random.default_rng(1)
    values = 10 + 0.5 * SIZES
    twice = [(SIZES, noisy(values, rng, 30)) for _ in range(2)]
    for part in linear_difference(*twice):
        assert part.low < 0 < part.high


def test_the_difference_of_too_few_blocks_has_no_bound() -> None:
    few = (SIZES, exactly(10 + 0.5 * SIZES, blocks=3))
    for part in linear_difference(few, few):
        assert not part.bounded


def test_a_line_through_two_cases_by_hand() -> None:
    fit = linear_fit([0, 10], exactly(np.array([1.0, 2.0])))
    assert fit.fixed.estimate == pytest.approx(1)
    assert fit.per_unit.estimate == pytest.approx(0.1)


def test_relative_weights_keep_the_fixed_part_when_the_largest_case_is_off() -> None:
    values = 10 + 0.5 * SIZES
    values[-1] *= 1.1
    fit = linear_fit(SIZES, exactly(values))
    unweighted = np.polyfit(SIZES, values, 1)[1]
    assert abs(fit.fixed.estimate - 10) < 1 < abs(unweighted - 10)


def test_too_few_blocks_leave_a_fit_without_bounds() -> None:
    line = linear_fit(SIZES, exactly(SIZES, blocks=5))
    assert (line.per_unit.low, line.per_unit.high) == (-math.inf, math.inf)
    assert line.per_unit.estimate == pytest.approx(1)
    law = power_law(SIZES, exactly(SIZES, blocks=1))
    assert (law.coefficient.low, law.coefficient.high) == (0, math.inf)


@pytest.mark.parametrize(
    ("sizes", "samples", "words"),
    [
        ([1, 2], [[1.0]], "2 sizes, but samples of 1"),
        ([3, 3], [[1.0], [1.0]], "a fit needs two"),
        ([1, 2], [[1.0], [-1.0]], "samples at size 2: value 0 is -1"),
        ([1, 2], [[1.0], []], "samples at size 2: there are no values"),
        ([0, 2], [[1.0], [1.0]], "sizes: value 0 is 0"),
    ],
)
def test_what_cannot_be_fitted_is_named(
    sizes: list[float], samples: list[list[float]], words: str
) -> None:
    with pytest.raises(CnbenchError, match=words):
        power_law(sizes, samples)


@settings(max_examples=30)
@given(st.floats(-2, 3), st.floats(1e-6, 1e6), st.integers(0, 2**32))
def test_any_power_law_is_recovered(exponent: float, coefficient: float, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(SIZES.size)
    values = coefficient * SIZES**exponent
    fit = power_law(SIZES[order], exactly(values[order]), draws=20)
    assert fit.exponent.estimate == pytest.approx(exponent, abs=1e-9)
    assert fit.coefficient.estimate == pytest.approx(coefficient)


@settings(max_examples=30)
@given(st.floats(1e-6, 1e6), st.integers(0, 2**32))
def test_another_unit_scales_the_line(unit: float, seed: int) -> None:
    samples = noisy(10 + 0.1 * SIZES, np.random.default_rng(seed), 6)
    here = linear_fit(SIZES, samples, draws=50)
    there = linear_fit(SIZES, [unit * blocks for blocks in samples], draws=50)
    for one, other in ((here.fixed, there.fixed), (here.per_unit, there.per_unit)):
        assert one.low <= one.estimate <= one.high
        assert [other.estimate, other.low, other.high] == pytest.approx(
            [unit * one.estimate, unit * one.low, unit * one.high], rel=1e-6, abs=1e-9 * unit
        )
    assert there.misfit == pytest.approx(here.misfit)


def test_lines_cross_where_their_equation_says() -> None:
    # 10 + 0.05 x = 30 + 0.01 x at x = 500.
    steep = CostsBySize.of(SIZES, exactly(10 + 0.05 * SIZES))
    flat = CostsBySize.of(SIZES, exactly(30 + 0.01 * SIZES))
    for crossing in (crossover(steep, flat), crossover(flat, steep)):
        assert crossing is not None
        assert [crossing.estimate, crossing.low, crossing.high] == pytest.approx([500] * 3)


def test_lines_that_do_not_cross_above_zero() -> None:
    low = CostsBySize.of(SIZES, exactly(10 + 0.01 * SIZES))
    high = CostsBySize.of(SIZES, exactly(30 + 0.05 * SIZES))
    assert crossover(low, high) is None
    assert crossover(low, low) is None


def test_nearly_parallel_lines_may_never_cross() -> None:
    rng = np.random.default_rng(9)
    a = CostsBySize.of(SIZES, noisy(10 + 0.0500 * SIZES, rng, 8))
    b = CostsBySize.of(SIZES, noisy(30 + 0.0495 * SIZES, rng, 8))
    crossing = crossover(a, b)
    assert crossing is None or crossing.high == math.inf


def test_a_crossing_of_too_few_blocks_has_no_bounds() -> None:
    steep = CostsBySize.of(SIZES, exactly(10 + 0.05 * SIZES, blocks=3))
    flat = CostsBySize.of(SIZES, exactly(30 + 0.01 * SIZES))
    crossing = crossover(steep, flat)
    assert crossing is not None
    assert (crossing.low, crossing.high) == (0, math.inf)


@pytest.mark.parametrize("blocks", [6, 15])
def test_coverage_of_fits(blocks: int) -> None:
    rng = np.random.default_rng(10)
    runs = 300
    covered = dict.fromkeys(("fixed", "per_unit", "exponent", "crossing"), 0)
    for _ in range(runs):
        steep = noisy(10 + 0.05 * SIZES, rng, blocks)
        flat = noisy(30 + 0.01 * SIZES, rng, blocks)
        line = linear_fit(SIZES, steep, draws=400)
        law = power_law(SIZES, noisy(SIZES**0.7, rng, blocks), draws=400)
        crossing = crossover(CostsBySize.of(SIZES, steep), CostsBySize.of(SIZES, flat), draws=400)
        assert crossing is not None
        for name, interval, truth in (
            ("fixed", line.fixed, 10),
            ("per_unit", line.per_unit, 0.05),
            ("exponent", law.exponent, 0.7),
            ("crossing", crossing, 500),
        ):
            covered[name] += interval.low <= truth <= interval.high
    for name, count in covered.items():
        assert count / runs >= 0.91, name


NOISE = [-0.02, -0.01, 0.0, 0.0, 0.01, 0.02, 0.01, -0.01]


def test_a_line_reaches_a_level_where_it_has_that_cost():
    costs = CostsBySize.of(
        [1, 10, 50], [[2.0 * size + 3 + noise for noise in NOISE] for size in (1, 10, 50)]
    )
    found = reached(costs, 1003.0)
    assert found.estimate == pytest.approx(500, abs=1)
    assert 490 < found.low < found.high < 510
    assert reached(costs, 1.0) is None  # below what nothing costs


def test_a_level_is_not_reached_for_certain_by_few_blocks():
    few = CostsBySize.of([1, 10], [[1.0, 1.1], [10.0, 10.1]])
    assert (reached(few, 100.0).low, reached(few, 100.0).high) == (0.0, math.inf)
