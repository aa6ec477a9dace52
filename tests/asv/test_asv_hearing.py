"""Which pairs of sample counts asv's own test is deaf to, and that the plug-in refuses those."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asv import _stats
from asv.commands.compare import _is_result_better
from asv.util import UserError
from asv_runner.statistics import compute_stats
from hypothesis import given
from hypothesis import strategies as st

from cnbench.asv import hearing
from cnbench.asv.hearing import FEWEST_SAMPLES, is_deaf
from cnbench.core.case import Case, Group
from cnbench.core.metric import ClockName
from cnbench.measuring.plan import Plan

COUNTS = st.integers(3, 40)


def different(a: list[float], b: list[float]) -> bool:
    """What asv says of two sets of samples, with the statistics that it makes of them itself."""
    return bool(_stats.is_different(a, b, compute_stats(a, 1)[1], compute_stats(b, 1)[1]))


def samples(count: int) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(1, 2), min_size=count, max_size=count)


def test_the_deaf_pairs_of_up_to_twenty_samples() -> None:
    deaf = {(m, n) for m in range(3, 21) for n in range(m, 21) if is_deaf(m, n)}
    assert deaf == {(6, 6), (5, 7), (4, 9), (3, 13), (3, 14), (3, 15), (3, 16)}


@given(st.data(), COUNTS, COUNTS)
def test_asv_finds_no_difference_in_a_deaf_pair_whatever_its_samples(
    data: st.DataObject, m: int, n: int
) -> None:
    if is_deaf(m, n):
        a, b = data.draw(samples(m)), [1000 * x for x in data.draw(samples(n))]
        assert not different(a, b)
        assert not different(b, a)


@given(st.data(), COUNTS, COUNTS)
def test_asv_finds_samples_that_are_apart_different_in_every_other_pair(
    data: st.DataObject, m: int, n: int
) -> None:
    assert is_deaf(m, n) == is_deaf(n, m)
    if not is_deaf(m, n):
        a, b = data.draw(samples(m)), [1000 * x for x in data.draw(samples(n))]
        # Of a few samples asv's intervals reach far beyond them, so only their order is given.
        exact = {"ci_99_a": 1, "ci_99_b": 2}, {"ci_99_a": 1000, "ci_99_b": 2000}
        assert _stats.is_different(a, b, *exact)


def test_no_pair_of_as_many_samples_as_asv_gets_is_deaf() -> None:
    counts = range(FEWEST_SAMPLES, 120)
    assert not any(is_deaf(m, n) for m in counts for n in counts)
    assert is_deaf(FEWEST_SAMPLES - 1, FEWEST_SAMPLES - 1)


def test_one_sample_less_a_threefold_change_would_be_none() -> None:
    few = [100.0 + n for n in range(FEWEST_SAMPLES - 1)]
    enough = [*few, 106.0]
    assert not different(few, [3 * x for x in few])
    assert different(enough, [3 * x for x in enough])


@pytest.mark.parametrize("clock", ["wall", "instructions"])
def test_what_is_measured_for_asv_takes_as_many_blocks(clock: ClockName) -> None:
    group = Group((Case("made-up", {}, clock=clock),))
    plan = Plan((group,), seconds=8.0, budget=None, seed=1, fewest_blocks=FEWEST_SAMPLES)
    policy = plan.policy(0, spent=0.0)
    assert policy.fewest_blocks == FEWEST_SAMPLES <= policy.most_blocks


@pytest.fixture
def plugged_in() -> Iterator[None]:
    """The plug-in as asv loads it, and asv's own function put back."""
    own = _stats.is_different
    hearing.setup()
    yield
    _stats.is_different = own


def better(a: list[float], b: list[float]) -> bool:
    """Whether ``asv compare`` takes ``a`` for better than ``b``."""
    (value_a, stats_a), (value_b, stats_b) = compute_stats(a, 1), compute_stats(b, 1)
    return bool(_is_result_better(value_a, value_b, (stats_a, a), (stats_b, b), 1.005))


@pytest.mark.usefixtures("plugged_in")
def test_a_comparison_of_a_deaf_pair_is_refused_with_what_to_do() -> None:
    six = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0]
    with pytest.raises(UserError, match=r"cannot tell 6 samples from 6.*at least 7"):
        better(six, [3 * x for x in six])
    with pytest.raises(UserError, match="cannot tell 5 samples from 7"):
        better([*six[:5], float("nan")], [3 * x for x in [*six, 106.0]])


@pytest.mark.usefixtures("plugged_in")
def test_asv_decides_all_other_comparisons_as_before() -> None:
    seven = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0]
    assert better(seven, [3 * x for x in seven])
    assert not better(seven, seven)
    five = seven[:5]
    assert better(five, [1000 * x for x in five])
    hearing.setup()  # once more, as for a second configuration
    assert better(seven, [3 * x for x in seven])


def test_a_history_loads_the_plug_in_too(tmp_path: Path) -> None:
    from cnbench.asv import history

    settings: dict[str, Any] = json.loads(json.dumps(history._settings(tmp_path, tmp_path / "p")))
    assert "cnbench.asv.hearing" in settings["plugins"]
