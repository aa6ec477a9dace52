"""Effects and what they rest on: by hand, symmetric, and widened where less is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.core.errors import CnbenchError
from cnbench.stats.effects import (
    effect_between_runs,
    effect_in_blocks,
    on_differences,
    pooled_memory,
)
from cnbench.stats.intervals import Interval
from cnbench.stats.observations import Observations
from cnbench.stats.signed_rank import pseudomedian_interval


def blocks(values, setups=(), runs=()):
    return Observations(
        np.array(values, dtype=float), np.array(setups, dtype=int), np.array(runs, dtype=int)
    )


def test_the_signed_rank_interval_is_that_of_the_tables():
    # Of six values the smallest and largest mean of two hold the pseudomedian with 1 - 2/64; of
    # ten, the ninth of 55 means from either end with 1 - 2 * 0.0244 = 95.1 % (Hollander & Wolfe).
    six = pseudomedian_interval([1, 2, 4, 8, 16, 32])
    assert 1 <= six.low < 1.5
    ten = pseudomedian_interval(np.arange(10.0))
    means = sorted((i + j) / 2 for i in range(10) for j in range(i, 10))
    assert means[8] <= ten.low <= means[9]
    assert ten.estimate == pytest.approx(4.5)
    assert pseudomedian_interval([1.0] * 5) == Interval(1.0, -math.inf, math.inf)


def test_what_a_block_shares_cancels_and_a_twin_helps():
    rng = np.random.default_rng(1)
    weather = rng.normal(0, 1, 12)
    a, twin, b = (weather + rng.normal(0, 0.02, 12) for _ in range(3))
    alone = effect_in_blocks(blocks(a), blocks(b + 0.1))
    helped = effect_in_blocks(blocks(a), blocks(b + 0.1), blocks(twin))
    assert alone.unit == helped.unit == "block"
    assert abs(alone.interval.estimate - 0.1) < 0.03
    assert helped.interval.low <= 0.1 <= helped.interval.high


def test_what_was_drawn_independently_is_the_unit():
    a = blocks([0.0] * 24, [n % 8 for n in range(24)])
    apart = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    effect = effect_in_blocks(a, blocks(np.tile(apart, 3), a.setups))
    assert (effect.unit, effect.units, effect.known) == ("set-up", 8, True)
    assert effect.interval.estimate == pytest.approx(0.35)
    assert effect.spread == pytest.approx(apart.std(ddof=1))
    more = effect_in_blocks(blocks([0.0] * 80, [n % 8 for n in range(80)]),
                            blocks(np.tile(apart, 10), [n % 8 for n in range(80)]))  # fmt: skip
    # No number of blocks makes eight set-ups more.
    assert more.interval.half_width == pytest.approx(effect.interval.half_width, rel=0.05)


def test_one_set_up_a_side_knows_not_what_set_ups_differ_by():
    a, b = blocks([0.0] * 12, [0] * 12), blocks([0.1] * 12, [0] * 12)
    assert not effect_in_blocks(a, b).known
    assert effect_in_blocks(blocks([0.0] * 12), blocks([0.1] * 12)).known


def test_two_runs_alone_know_not_what_runs_differ_by():
    a, b = blocks(np.linspace(0, 1, 12)), blocks(np.linspace(1, 2, 12))
    assert not effect_between_runs(a, b).known
    assert not effect_between_runs(a, b, np.array([0.0, 5.0])).known
    known = effect_between_runs(a, b, np.array([0.0, 5.0, 10.0]))
    # Student's t of 2 degrees is 4.3027, the earlier runs' standard deviation 5.
    assert known.known
    assert known.interval.estimate == pytest.approx(1)
    assert known.interval.half_width == pytest.approx(4.30265 * 5 * math.sqrt(2), rel=1e-4)


def test_repeated_runs_by_hand():
    def of(*centres):
        runs = [number for number, _ in enumerate(centres) for _ in range(6)]
        return blocks([value for value in centres for _ in range(6)], runs=runs)

    effect = effect_between_runs(of(1, 2, 3), of(5, 6, 7))
    # Both standard deviations are 1, t of 4 degrees 2.7764, the error sqrt(2/3).
    assert (effect.unit, effect.units, effect.freedom) == ("run", 3, 4)
    assert effect.interval.estimate == 4
    assert effect.interval.half_width == pytest.approx(2.77645 * math.sqrt(2 / 3), rel=1e-4)
    assert effect.p_beyond(4 - effect.interval.half_width) == pytest.approx(0.05)
    assert effect.p_beyond(0) < 0.05 < effect.p_beyond(3)
    assert effect.p_beyond(0, unknown=10) > 0.05


def repeats_of(*centres):
    runs = [number for number, _ in enumerate(centres) for _ in range(6)]
    return blocks([value for value in centres for _ in range(6)], runs=runs)


def test_what_repeats_of_one_run_have_in_common_is_known_from_runs_that_were_repeated():
    a, b = repeats_of(1, 2, 3), repeats_of(5, 6, 7)
    # The means of three: 2, 12, 22, 32 and 42; their standard deviation is 15.811, t of 4 2.7764.
    repeated = [np.array([n - 1.0, n, n + 1, 100]) for n in (2, 12, 22, 32, 42)]
    effect = effect_between_runs(a, b, np.concatenate(repeated), repeated=repeated)
    assert effect.freedom == 4
    assert effect.interval.half_width == pytest.approx(2.77645 * 15.8114 * math.sqrt(2), rel=1e-4)
    assert effect.p_beyond(4 - effect.interval.half_width) == pytest.approx(0.05)
    # Too few to tell, too few repeats, and one run a side, whose repeats are what it may be.
    alone = effect_between_runs(a, b)
    assert effect_between_runs(a, b, repeated=repeated[:4]) == alone
    assert effect_between_runs(a, b, repeated=[one[:2] for one in repeated]) == alone
    assert effect_between_runs(repeats_of(1), repeats_of(5), repeated=repeated) == (
        effect_between_runs(repeats_of(1), repeats_of(5))
    )


def test_an_interval_holds_what_it_promises_where_repeats_of_one_run_are_alike():
    rng = np.random.default_rng(11)

    def run_of_three():
        return rng.normal(0, 1) + rng.normal(0, 0.3, 3)

    def held(trial, with_repeats):
        repeated = [run_of_three() for _ in range(8)]
        a, b = repeats_of(*run_of_three()), repeats_of(*run_of_three())
        known = repeated if with_repeats else ()
        effect = effect_between_runs(a, b, np.concatenate(repeated), repeated=known)
        return effect.interval.low <= 0 <= effect.interval.high

    trials = range(300)
    assert sum(held(trial, with_repeats=True) for trial in trials) >= 0.92 * len(trials)
    # As if each repeat had been drawn for itself, the gate would ring.
    assert sum(held(trial, with_repeats=False) for trial in trials) < 0.85 * len(trials)


def test_a_p_value_is_0_05_where_the_interval_ends():
    rng = np.random.default_rng(3)
    effect = effect_in_blocks(blocks(rng.normal(size=12)), blocks(rng.normal(2, 1, 12)))
    assert effect.p_beyond(effect.interval.low) == pytest.approx(0.05)
    back = effect.reversed()
    assert back.p_beyond(0) == effect.p_beyond(0)
    assert effect_in_blocks(blocks([0.0] * 3), blocks([1.0] * 3)).p_beyond(0) == 1
    assert effect_in_blocks(blocks([0.0] * 9), blocks([1.0] * 9)).p_beyond(0.5) == 0


def test_what_remembers_is_known_less():
    rng = np.random.default_rng(4)
    noise = rng.normal(size=30)
    wander = np.cumsum(noise)
    flat = blocks(np.zeros(30))
    shuffled, remembering = (
        effect_in_blocks(flat, blocks(values)) for values in (rng.permutation(wander), wander)
    )
    assert remembering.autocorrelation > 0.6 > shuffled.autocorrelation
    assert remembering.interval.half_width > 2 * shuffled.interval.half_width
    assert remembering.freedom < shuffled.freedom
    told = effect_in_blocks(flat, blocks(noise), memory=0.8)
    assert told.interval.half_width > 3 * effect_in_blocks(flat, blocks(noise)).interval.half_width


def test_many_series_tell_of_memory_together():
    rng = np.random.default_rng(5)
    noise = [blocks(rng.normal(size=12)) for _ in range(60)]
    assert pooled_memory(noise) < 0.1
    assert pooled_memory([blocks(np.cumsum(one.values)) for one in noise]) > 0.5
    assert pooled_memory(noise[:4]) == 0


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=20))
def test_swapping_the_sides_turns_the_effect(pairs):
    a, b = (blocks(side) for side in zip(*pairs, strict=True))
    there, back = effect_in_blocks(a, b).interval, effect_in_blocks(b, a).interval
    assert back.estimate == pytest.approx(-there.estimate)
    assert back.low == pytest.approx(-there.high)
    assert there.bounded == (len(pairs) >= 6)
    apart, again = effect_between_runs(a, b).interval, effect_between_runs(b, a).interval
    assert again.estimate == pytest.approx(-apart.estimate)
    assert again.low == pytest.approx(-apart.high)


def test_scales():
    assert on_differences([1.0, math.e], "ratio", "lower") == pytest.approx([0, 1])
    assert list(on_differences([-1.0, 2.0], "additive", "zero")) == [1, 2]
    assert list(on_differences([-1.0, 2.0], "additive", "lower")) == [-1, 2]
    with pytest.raises(ValueError, match="additive"):
        on_differences([1.0], "ratio", "zero")
    with pytest.raises(CnbenchError, match="value 1 is 0") as error:
        on_differences([1.0, 0.0], "ratio", "lower")
    assert "additive" in error.value.remedy


def test_blocks_that_do_not_correspond_are_refused():
    with pytest.raises(CnbenchError, match="shares its blocks"):
        effect_in_blocks(blocks([1.0, 2.0]), blocks([1.0]))
    with pytest.raises(CnbenchError, match="labels"):
        blocks([1.0, 2.0], [1])
