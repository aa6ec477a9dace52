"""Nodes as what was drawn: their spread by hand, odd ones by simulation, what those share."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.stats.intervals import blocks_needed
from cnbench.stats.nodes.between import between, from_own_kind, standard_error
from cnbench.stats.nodes.in_common import in_common
from cnbench.stats.nodes.odd import FEWEST, look_normal, odd_ones
from cnbench.stats.observations import Observations

# Rosner (1983), table 1: of these 54 observations three are outliers at 5 %.
ROSNER = [
    -0.25, 0.68, 0.94, 1.15, 1.20, 1.26, 1.26, 1.34, 1.38, 1.43, 1.49, 1.49, 1.55, 1.56, 1.58,
    1.65, 1.69, 1.70, 1.76, 1.77, 1.81, 1.91, 1.94, 1.96, 1.99, 2.06, 2.09, 2.10, 2.14, 2.15,
    2.23, 2.24, 2.26, 2.35, 2.37, 2.40, 2.47, 2.54, 2.62, 2.64, 2.90, 2.92, 2.92, 2.93, 3.21,
    3.26, 3.30, 3.59, 3.68, 4.30, 4.64, 5.34, 5.42, 6.01,
]  # fmt: skip


def test_the_published_example_has_its_three_outliers() -> None:
    odd = odd_ones(np.array(ROSNER), 0.05)
    assert np.array(ROSNER)[odd].tolist() == [5.34, 5.42, 6.01]


@pytest.mark.parametrize(("nodes", "rate"), [(6, 0.05), (20, 0.05), (200, 0.05), (200, 0.001)])
def test_no_more_fleets_than_promised_have_a_node_named_though_all_are_alike(nodes, rate):
    rng = np.random.default_rng(7)
    trials = 400
    alarms = sum(odd_ones(rng.normal(size=nodes), rate).any() for _ in range(trials))
    # Six standard errors of what is promised; of few nodes the procedure is known to be above it.
    assert alarms <= trials * rate + 6 * (trials * rate) ** 0.5


def test_a_rate_that_is_not_kept_would_be_seen():
    """The check above, on a rule that names whoever is three standard deviations off."""
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(400):
        drawn = rng.normal(size=200)
        alarms += (np.abs(drawn - drawn.mean()) > 3 * drawn.std(ddof=1)).any()
    assert alarms > 400 * 0.05 + 6 * (400 * 0.05) ** 0.5


def test_those_that_hide_each_other_are_found() -> None:
    values = np.concatenate([np.random.default_rng(1).normal(size=195), np.full(5, 9.0)])
    assert np.flatnonzero(odd_ones(values, 0.001)).tolist() == [195, 196, 197, 198, 199]


@given(st.lists(st.floats(-1e6, 1e6), max_size=40))
def test_at_most_a_quarter_is_odd_and_equal_ones_never_are(values):
    odd = odd_ones(np.array(values), 0.05)
    assert odd.sum() <= max(1, len(values) // 4)
    assert not odd_ones(np.full(len(values), 3.0), 0.05).any()


def test_of_three_nodes_none_is_odd() -> None:
    assert not odd_ones(np.array([1.0, 1.0, 9.0]), 0.05).any()
    assert FEWEST == 4


@pytest.mark.parametrize("rate", [0, 1, -0.1])
def test_what_is_no_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        odd_ones(np.arange(5.0), rate)


def test_a_skewed_fleet_does_not_look_normal_and_a_normal_one_does():
    rng = np.random.default_rng(3)
    assert look_normal(rng.normal(size=200))
    assert not look_normal(rng.exponential(size=200))
    assert look_normal(np.array([1.0, 1.0, 50.0])), "of three nothing is known"


def test_what_nodes_differ_by_is_what_their_own_errors_leave():
    rng = np.random.default_rng(5)
    own, nodes = 0.02, 0.03
    found = between(rng.normal(scale=np.hypot(own, nodes), size=4000), [own] * 4000)
    assert found.nodes == pytest.approx(nodes, rel=0.05)
    assert found.inside == pytest.approx(own)
    alike = between(rng.normal(scale=own, size=4000), [2 * own] * 4000)
    assert alike.nodes == 0, "nodes differ by less than they are known to"


def test_the_typical_node_has_an_interval_over_nodes():
    assert not between(np.array([1.0]), [0.1]).typical.bounded
    assert between(np.array([1.0]), [0.1]).nodes is None
    few = between(np.array([1.0, 2.0, 3.0]), [None] * 3)
    assert few.typical.estimate == 2
    assert few.inside is None
    many = np.append(np.linspace(0.9, 1.1, 30), 50.0)
    assert between(many, [None] * 31).typical.high < 1.1, "one node that is odd moves nothing"


def test_the_interval_over_nodes_holds_the_median_node_as_often_as_it_says():
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(400):
        found = between(rng.normal(size=20), [None] * 20).typical
        held += found.low <= 0 <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_a_centre_is_known_as_well_as_its_units_agree():
    blocks = np.array([1.0, 2.0, 3.0, 4.0])
    alone = standard_error([Observations(blocks)])
    assert alone == pytest.approx(blocks.std(ddof=1) / 2 * np.sqrt(np.pi / 2))
    runs = [Observations(np.full(6, centre)) for centre in (1.0, 2.0, 3.0)]
    assert standard_error(runs) == pytest.approx(1 / np.sqrt(3))
    assert standard_error([Observations(np.array([1.0]))]) is None


def test_nodes_are_held_against_their_own_kind_if_that_is_large_enough():
    two_kinds = np.array([1.0] * 6 + [5.0] * 6)
    assert not from_own_kind(two_kinds, [0] * 6 + [1] * 6).any()
    few = np.array([1.0] * 7 + [5.0] * 5)
    assert from_own_kind(few, [0] * 7 + [1] * 5).tolist() == [0] * 7 + [4] * 5
    all_small = np.array([1.0, 1.0, 1.0, 5.0])
    assert from_own_kind(all_small, [0, 1, 2, 3]).tolist() == [0, 0, 0, 4]
    assert blocks_needed() == 6


def facts(odd, others, **values):
    """Facts of nodes of which the first are odd: the value in ``odd`` and in ``others`` of them."""
    return [values | {"governor": value} for value in (*odd, *others)]


def test_what_odd_nodes_alone_have_is_told_and_what_all_have_is_not():
    of = facts(["powersave"] * 5, ["performance"] * 195, kernel="6.12", machine="abacus")
    odd = np.arange(200) < 5
    (shared,) = in_common(of, odd)
    assert shared.facts == (("governor", "powersave"),)
    assert (shared.odd, shared.odd_nodes, shared.others, shared.other_nodes) == (5, 5, 0, 195)


def test_what_odd_nodes_have_by_chance_is_not_told():
    rng = np.random.default_rng(2)
    told = 0
    for _ in range(200):
        of = [{f"fact {n}": str(rng.integers(2)) for n in range(20)} for _ in range(40)]
        told += bool(in_common(of, np.arange(40) < 5))
    assert told <= 200 * 0.05 + 3 * (200 * 0.05) ** 0.5


def test_what_the_same_nodes_have_is_one_thing():
    of = [{"rack": "7", "switch": "b"}] * 4 + [{"rack": "1", "switch": "a"}] * 60
    (shared,) = in_common(of, np.arange(64) < 4)
    assert shared.facts == (("rack", "7"), ("switch", "b"))


def test_the_chance_is_fishers():
    of = facts(["on"] * 3, ["on"] * 1 + ["off"] * 6)
    (shared,) = in_common(of, np.arange(10) < 3, level=0.5)
    ways = list(itertools.combinations(range(10), 3))
    as_extreme = sum(set(way) <= {0, 1, 2, 3} for way in ways)
    assert shared.p_value == pytest.approx(as_extreme / len(ways))
