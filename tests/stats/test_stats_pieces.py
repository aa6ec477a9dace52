"""Breaks of a curve: found where they were put, with few points, and nowhere else."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.core.errors import CnbenchError
from cnbench.stats.pieces.design import first_sizes, next_size
from cnbench.stats.pieces.growth import growth
from cnbench.stats.pieces.lines import pieces

LOW, HIGH = 1, 20_000
MOST = 10  # a third of the sweep that would find the same
NOISE = 0.01


def explored(truth, seed, most=MOST, noise=NOISE):
    """The sizes that are chosen one after the other, what they cost, and the noise of each."""
    random = np.random.default_rng(seed)
    cost = {}

    def measure(size):
        cost[size] = truth(size) * (1 + noise * random.standard_normal())

    for size in first_sizes(LOW, HIGH):
        measure(size)
    while len(cost) < most:
        sizes = sorted(cost)
        costs = [cost[size] for size in sizes]
        size = next_size(sizes, costs, [noise * one for one in costs])
        if size is None:
            break
        measure(size)
    sizes = sorted(cost)
    costs = [cost[size] for size in sizes]
    return sizes, costs, [noise * one for one in costs]


def bend(place, slope=4e-9, times=8.0, base=20e-6):
    """A cost whose slope is ``times`` as steep beyond ``place``."""
    return lambda size: base + slope * (size + (times - 1) * max(0, size - place))


def drawn_place(seed):
    return math.exp(np.random.default_rng(1000 + seed).uniform(math.log(1000), math.log(15_000)))


@pytest.mark.parametrize("seed", range(20))
def test_a_bend_is_found_within_15_percent_of_its_place(seed):
    place = drawn_place(seed)
    found = pieces(*explored(bend(place), seed))
    assert len(found.breaks) == 1
    (one,) = found.breaks
    assert one.place == pytest.approx(place, rel=0.15)
    assert one.after > 3 * one.before


@pytest.mark.parametrize("seed", range(20))
def test_a_jump_lies_between_two_points_near_its_place(seed):
    place = drawn_place(seed)
    sizes, costs, noise = explored(
        lambda size: (20e-6 + 4e-9 * size) * (1.5 if size > place else 1), seed, most=12
    )
    found = pieces(sizes, costs, noise)
    assert any(one.low * 0.85 <= place <= one.high * 1.15 for one in found.breaks)


@pytest.mark.parametrize("seed", range(20))
def test_a_line_has_no_break_and_takes_few_points(seed):
    sizes, costs, noise = explored(lambda size: 20e-6 + 4e-9 * size, seed)
    assert pieces(sizes, costs, noise).breaks == ()
    assert len(sizes) <= 7


@pytest.mark.parametrize("exponent", [0.5, 1.5, 2.0, 2.5])
def test_what_grows_smoothly_is_better_told_by_a_power(exponent):
    curve = explored(lambda size: 1e-3 + 1e-9 * size**exponent, seed=1)
    smooth = growth(*curve)
    assert smooth.low <= exponent <= smooth.high
    assert smooth.criterion < pieces(*curve).criterion or not pieces(*curve).breaks


@pytest.mark.parametrize("seed", range(20))
def test_a_bend_is_not_better_told_by_a_power(seed):
    curve = explored(bend(drawn_place(seed)), seed)
    assert pieces(*curve).criterion < growth(*curve).criterion


def test_two_bends_are_both_found():
    def truth(size):
        return 20e-6 + 2e-9 * size + 20e-9 * max(0, size - 2000) + 200e-9 * max(0, size - 9000)

    found = pieces(*explored(truth, seed=1, most=16))
    places = [one.place for one in found.breaks]
    assert places == [pytest.approx(2000, rel=0.15), pytest.approx(9000, rel=0.15)]


def test_a_bend_that_noise_could_be_is_none():
    sizes, costs, _ = explored(bend(5000, times=1.5), seed=1)
    assert pieces(sizes, costs, [0.2 * one for one in costs]).breaks == ()


@given(
    scale=st.floats(1e-9, 1e9),
    place=st.integers(1000, 15_000),
)
def test_the_unit_of_the_costs_makes_no_difference(scale, place):
    sizes, costs, noise = explored(bend(place), seed=3)
    one = pieces(sizes, costs, noise)
    other = pieces(sizes, np.array(costs) * scale, np.array(noise) * scale)
    assert [b.place for b in other.breaks] == pytest.approx([b.place for b in one.breaks])


@pytest.mark.parametrize(
    ("sizes", "costs", "noise"),
    [([1, 1, 2], [1, 1, 1], [1, 1, 1]), ([1, 2], [1, 2], [1, 0]), ([1, 2, 3], [1, 2], [1, 1])],
)
def test_what_is_no_curve_is_refused(sizes, costs, noise):
    with pytest.raises(CnbenchError):
        pieces(sizes, costs, noise)


def test_a_straight_curve_asks_for_no_more():
    sizes = first_sizes(LOW, HIGH)
    costs = [1.0 + size for size in sizes]
    assert next_size(sizes, costs, [0.01 * one for one in costs]) is None


def test_where_it_bends_the_next_size_is_beside_the_bend():
    sizes = [1, 2500, 5000, 10_000, 20_000]
    costs = [1.0, 1.0, 1.0, 1.0, 3.0]
    assert next_size(sizes, costs, [0.01] * 5) == 15_000
