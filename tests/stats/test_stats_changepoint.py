"""Steps in a series: found where they are, and not where there is noise alone."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.core.errors import CnbenchError
from cnbench.stats.changepoint import out_of_line, scatter, steps
from cnbench.stats.intervals import Interval, median_interval


def series(levels: list[float], reach: float = 0.01) -> list[Interval]:
    return [Interval(level, level - reach * level, level + reach * level) for level in levels]


def test_one_step_by_hand() -> None:
    (step,) = steps(series([10, 10, 10, 12, 12]), noise=0, scale="additive")
    assert (step.index, step.before, step.after) == (3, 10, 12)
    # Standard errors are 0.1/z and 0.12/z a place: the ends are 2 -+ sqrt(0.1^2/3 + 0.12^2/2).
    reach = math.sqrt(0.01 / 3 + 0.0144 / 2)
    assert [step.effect.low, step.effect.high] == pytest.approx([2 - reach, 2 + reach])


def test_a_release_that_was_bad_and_mended_is_two_steps() -> None:
    bad = series([10, 10, 13, 10, 10])
    found = steps(bad, noise=0, scale="ratio", told_alone=True)
    assert [step.index for step in found] == [2, 3]
    assert [step.effect.estimate for step in found] == pytest.approx([1.3, 1 / 1.3])
    # Where places are one thing at different times, one place is no level.
    assert steps(bad, noise=0, scale="ratio") == []
    assert out_of_line(bad, noise=0, scale="ratio") == [2]


def test_two_places_are_a_level_wherever_they_are() -> None:
    levels = [10.0] * 12
    for first in (0, 5, 10):
        there = levels[:first] + [10.02] * 2 + levels[first + 2 :]
        found = steps(series(there, reach=0.0004), noise=0, scale="ratio")
        assert [step.index for step in found] == [i for i in (first, first + 2) if 0 < i < 12]
        assert out_of_line(series(there, reach=0.0004), noise=0, scale="ratio") == []


@pytest.mark.parametrize("where", [0, 7, 19])
@pytest.mark.parametrize("size", [0.05, 0.5, 5])
def test_one_place_alone_is_out_of_line_and_no_step(where: int, size: float) -> None:
    draw = np.random.default_rng(1)
    levels = 10 * np.exp(draw.normal(0, 0.0056, 20))
    levels[where] *= 1 + size
    assert steps(series(list(levels), reach=0.001), noise=0, scale="ratio") == []
    assert out_of_line(series(list(levels), reach=0.001), noise=0, scale="ratio") == [where]


def test_what_neighbours_show_counts_where_nobody_told_it() -> None:
    draw = np.random.default_rng(2)
    levels = list(10 * np.exp(draw.normal(0, 0.02, 40)))
    assert steps(series(levels, reach=0.001), noise=0, scale="ratio") == []
    stepped = levels[:20] + [1.06 * level for level in levels[20:]]
    (step,) = steps(series(stepped, reach=0.001), noise=0, scale="ratio")
    assert abs(step.index - 20) <= 1
    assert scatter(np.log(levels)) == pytest.approx(0.02**2, rel=0.5)


def test_what_runs_of_the_same_thing_differ_by_is_not_a_step() -> None:
    levels = [10, 10.3, 9.8, 10.2, 9.9]
    assert steps(series(levels, reach=0.001), noise=0, scale="ratio")
    assert not steps(series(levels, reach=0.001), noise=0.1, scale="ratio")


def test_a_clock_that_repeats_exactly_shows_the_smallest_step() -> None:
    exact = series([1e6, 1e6, 1e6 + 1, 1e6 + 1], reach=0)
    assert [step.index for step in steps(exact, noise=0, scale="ratio")] == [2]
    assert not steps(series([0.1 + 0.2, 0.3, 0.3], reach=0), noise=0, scale="ratio")
    assert not steps(series([0.0, 0.0], reach=0), noise=0, scale="additive")


def test_a_signed_series_on_the_additive_scale() -> None:
    signed = [Interval(v, v - 0.01, v + 0.01) for v in (-0.1, -0.1, 0.1, 0.1)]
    (step,) = steps(signed, noise=0.01, scale="additive")
    assert step.effect.estimate == pytest.approx(0.2)


def test_short_series_have_no_steps() -> None:
    assert steps([], noise=0, scale="ratio") == []
    assert steps(series([10]), noise=0, scale="ratio") == []


def test_unusable_series_are_refused() -> None:
    unbounded = [*series([10]), Interval(10, -math.inf, math.inf)]
    with pytest.raises(CnbenchError, match="place 1"):
        steps(unbounded, noise=0, scale="additive")
    with pytest.raises(CnbenchError, match="value 1 is -1"):
        steps(series([10, -1]), noise=0, scale="ratio")
    with pytest.raises(ValueError, match="noise floor"):
        steps(series([10, 10]), noise=math.inf, scale="ratio")


@given(
    st.lists(st.floats(0.1, 100), min_size=2, max_size=8),
    st.sampled_from([2.0**-30, 0.5, 1024.0]),
)
def test_neither_the_unit_nor_the_direction_of_time_moves_a_step(
    levels: list[float], unit: float
) -> None:
    here = steps(series(levels), noise=0.02, scale="ratio")
    there = steps(series([level * unit for level in levels]), noise=0.02, scale="ratio")
    back = steps(series(levels[::-1]), noise=0.02, scale="ratio")
    assert [step.index for step in there] == [step.index for step in here]
    assert [len(levels) - step.index for step in back][::-1] == [step.index for step in here]
    for step in here:
        assert step.effect.low <= step.effect.estimate <= step.effect.high


def test_false_alarms_and_power() -> None:
    rng = np.random.default_rng(11)
    noise = 0.02 * 1.96 * math.sqrt(2)
    alarms = found = 0
    for _ in range(100):
        runs = rng.lognormal(0, 0.05, (8, 15)) * rng.lognormal(0, 0.02, (8, 1))
        alarms += bool(steps([median_interval(run) for run in runs], noise=noise, scale="ratio"))
        runs[4:] *= 1.2
        slower = steps([median_interval(run) for run in runs], noise=noise, scale="ratio")
        found += [step.index for step in slower] == [4]
    assert alarms <= 12
    assert found >= 85
