"""What members offer and groups need, and who may then measure what."""

import math
from dataclasses import replace

import pytest

from cnbench.core.case import Case, Group
from cnbench.experiments.registry import experiment_called
from cnbench.fleet.members import (
    Member,
    commonest_environment,
    members_of,
    nodes,
    of_code_alone,
    why_none,
)
from cnbench.fleet.offers import MACHINE, Offer, code_digest, needs_of
from cnbench.measuring.capabilities import variant_of

HOST = ("host cpu-quota controller=v1", "host cpu-quota controller=v2")
OFFER = Offer("node1", "c0de", "e1", (*HOST, "guest trixie"))


def member(name="node1 a", slots=2, **changes):
    return Member(name, slots, replace(OFFER, **changes).resources())


def group(lab="host", clock="wall", kernel="", userland="", controllers=("v1", "v2")):
    experiment = experiment_called("cpu-quota")
    points = experiment.grid(False, {"controller": controllers})
    cases = tuple(Case("cpu-quota", dict(point), lab, clock, kernel) for point in points[:2])
    return Group(cases, userland=userland)


def test_what_is_timed_takes_the_whole_machine_and_what_is_counted_leaves_no_room_for_it():
    timed = needs_of(group(), HOST)
    counted = needs_of(group("guest", "instructions", "trixie"), ["guest trixie"])
    assert timed[MACHINE] == member().resources[MACHINE] == 1.0
    assert 0 < counted[MACHINE] < 1e-3
    assert timed[MACHINE] + counted[MACHINE] > 1.0


def test_a_group_needs_the_variants_of_all_its_cases():
    of_both = group()
    named = {f"host cpu-quota {variant_of(experiment_called('cpu-quota'), case.params)}"
             for case in of_both.cases}  # fmt: skip
    assert set(needs_of(of_both, HOST)) == {MACHINE, *named}
    assert member().has(needs_of(of_both, HOST))
    lacking = member(supported=HOST[1:])
    assert not lacking.has({HOST[0]: 1.0})


def test_what_nobody_offers_is_left_to_be_refused_by_whoever_measures():
    assert set(needs_of(group("guest", "wall", "sid"), ["guest trixie"])) == {MACHINE}


def test_a_guest_is_one_of_a_kernel_and_a_userland():
    needs = needs_of(group("guest", "wall", "trixie", "containers"), ["guest trixie containers"])
    assert not member().has(needs)
    assert member(supported=("guest trixie containers",)).has(needs)


def test_what_is_not_used_up_is_offered_without_end():
    resources = OFFER.resources()
    assert {resources[name] for name in (*HOST, "guest trixie", "node node1")} == {math.inf}


def test_members_are_read_from_what_the_scheduler_says_of_itself():
    info = {"workers": {
        "tcp://10.0.0.2:1": {"name": "b", "nthreads": 4, "resources": OFFER.resources()},
        "tcp://10.0.0.1:1": {"name": "a", "nthreads": 1},
    }}  # fmt: skip
    stranger, ours = members_of(info)
    assert (stranger.name, stranger.node, stranger.slots) == ("a", "", 1)
    assert (ours.node, ours.slots, ours.named("environment")) == ("node1", 4, "environment e1")
    assert of_code_alone([stranger, ours], "c0de") == [ours]


@pytest.mark.parametrize(
    ("there", "said"),
    [([], "has no worker"), ([member(code="old")], "node1 a (cnbench old)")],
)
def test_why_nobody_measures_is_said(there, said):
    assert said in str(why_none(there, "c0de"))


def test_the_environment_of_most_machines_is_the_one_for_what_is_timed():
    two_workers_of_one = [member("x", node="n1", environment="e2") for _ in range(3)]
    of_two = [member("y", node=node) for node in ("n2", "n3")]
    assert commonest_environment([*two_workers_of_one, *of_two]) == "environment e1"
    assert nodes([*of_two, *two_workers_of_one]) == ["n1", "n2", "n3"]


def test_the_code_is_the_same_as_long_as_nothing_of_it_changes():
    assert code_digest() == code_digest()
    assert len(code_digest()) == 12
