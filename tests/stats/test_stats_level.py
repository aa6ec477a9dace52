"""The level of a case: in its unit, widened by memory, and never absurdly."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.stats.autocorrelation import WIDEST, remembered, widened, widened_as_blocks
from cnbench.stats.effects import effect_in_blocks
from cnbench.stats.intervals import Interval, median_interval
from cnbench.stats.level import level_of, level_on_scale
from cnbench.stats.observations import Observations

# Student's t of two units alone reaches 12.7 / 2 times as far as these lie apart; memory adds the
# square of as much as blocks are widened by.
_FARTHEST = math.hypot(6.36, WIDEST)


def test_six_blocks_that_look_alike_by_chance_have_no_absurd_interval():
    blocks = np.array([61e-3, 66e-3, 72e-3, 85e-3, 104e-3, 120e-3])  # before: 0.67 ms to 262 s
    level = level_on_scale(Observations(blocks), scale="ratio")
    assert level.autocorrelation == pytest.approx(0.9)
    assert 35e-3 < level.interval.low < blocks.min()
    assert blocks.max() < level.interval.high < 260e-3


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=6, max_size=40),
    st.integers(0, 8),
    st.integers(1, 3),
)
def test_no_interval_reaches_absurdly_beyond_what_was_seen(values, setups, runs):
    values = values[: len(values) // runs * runs]
    places = range(len(values) // runs)
    labels = np.array([p % setups for p in places] * runs if setups else [], dtype=int)
    of = np.array([run for run in range(runs) for _ in places] if runs > 1 else [], dtype=int)
    one = Observations(np.array(values), labels, of)
    none = Observations(np.zeros(len(values)), labels, of)
    apart = max(values) - min(values)
    for interval in (level_of(one).interval, effect_in_blocks(none, one).interval):
        if interval.bounded:
            assert interval.low >= min(values) - _FARTHEST * apart - 1e-9
            assert interval.high <= max(values) + _FARTHEST * apart + 1e-9


def _wandering(rng, n, r=0.8):
    values = [rng.standard_normal()]
    for fresh in rng.standard_normal(n - 1):
        values.append(r * values[-1] + math.sqrt(1 - r * r) * fresh)
    return np.array(values)


def test_a_machine_that_wanders_is_known_less():
    rng = np.random.default_rng(12)
    held = {"taken for independent": 0, "widened": 0}
    for _ in range(200):
        values = _wandering(rng, 12)
        for way, interval in (
            ("taken for independent", median_interval(values)),
            ("widened", level_of(Observations(values)).interval),
        ):
            held[way] += interval.low <= 0 <= interval.high
    assert held["taken for independent"] < 0.65 * 200
    assert held["widened"] > 0.82 * 200


def test_set_ups_in_turn_share_what_a_machine_wanders_by():
    rng = np.random.default_rng(13)
    held, turns = 0, np.arange(30) % 6
    for _ in range(200):
        values = _wandering(rng, 30)
        interval = level_of(Observations(values, turns)).interval
        held += interval.low <= 0 <= interval.high
    assert held >= 0.94 * 200  # 0.90 where the set-ups' own interval was widened


def test_set_ups_gain_the_squares_of_what_their_blocks_gain():
    own, blocks = Interval(1.0, 0.7, 1.4), Interval(1.1, 0.8, 1.3)
    assert widened_as_blocks(own, blocks, 0.0, 12) == own
    wider = widened_as_blocks(own, blocks, 0.8, 12)
    factor = (1.1 - widened(blocks, 0.8, 12).low) / 0.3
    assert factor == pytest.approx(WIDEST)
    assert wider.estimate - wider.low == pytest.approx(math.sqrt(0.3**2 + (factor**2 - 1) * 0.3**2))
    unbounded = Interval(1.0, -math.inf, math.inf)
    assert widened_as_blocks(unbounded, blocks, 0.8, 12) == unbounded


def test_what_few_series_show_of_memory_is_believed_to_be_more():
    # 0.5 as it is estimated from 12 values, and without its bias.
    told = (0.5 * (12 - 4) - 1) / 12
    assert remembered([told], 12) == pytest.approx(0.5 * (1 + 8 / 12))
    assert remembered([told] * 60, 12) == pytest.approx(0.5, abs=0.01)
    assert remembered([0.9], 12) == 0.9
    assert remembered([-0.5, -0.4], 12) == 0.0
    assert remembered([], 12) == 0.0
