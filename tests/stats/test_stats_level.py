"""The level of a case: in its unit, widened by memory, and never absurdly."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.stats.effects import effect_in_blocks
from cnbench.stats.intervals import median_interval
from cnbench.stats.level import level_of, level_on_scale
from cnbench.stats.observations import Observations

# Student's t of two units alone reaches 12.7 / 2 times as far as these lie apart.
_FARTHEST = 6.36


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
