"""How many set-ups a budget holds."""

from dataclasses import replace

import made_up
from scripted import Script, Stage

from cnbench.core.case import Case
from cnbench.core.experiment import everywhere
from cnbench.core.parameter import Point
from cnbench.experiments.registry import experiment_called
from cnbench.measuring.sampler import GroupSampler, Policy
from cnbench.measuring.setups import MOST_COUNTED, SetUps

CASE = Case("made-up", {"mode": "a", "size": 1})


def sampled(**policy):
    """The stage of a group of two, A′ the third, with up to eight set-ups, a second a sample."""
    stage = Stage({"a": Script(), "b": Script()})
    sampler = GroupSampler(
        stage.experiment(setups=everywhere(8)), stage, Policy(**policy), stage.now
    )
    outcome = sampler.run(stage.group(), stage.told.append)
    assert {result.status for result in outcome.results} == {"ok"}
    return stage


def set_ups(stage):
    return sum(entry.startswith("set-up") for entry in stage.diary)


def test_without_a_budget_every_case_has_all_its_set_ups():
    assert set_ups(sampled(budget=10)) == 3 * 8


def test_a_budget_bounds_the_set_ups_and_with_them_the_warm_up():
    assert set_ups(sampled(budget=12, hard=True)) == 3 * 2
    assert set_ups(sampled(budget=1000, hard=True)) == 3 * 8


def test_a_spent_budget_takes_one_set_up_a_case_and_two_blocks():
    stage = sampled(budget=0, hard=True)
    assert set_ups(stage) == 3
    # The first set-up's first sample, which tells what one takes; a warm-up of each; two blocks.
    assert stage.seconds == 1 + 3 + 2 * 3


def test_where_instructions_are_counted_there_are_few():
    experiment = made_up.experiment(setups=everywhere(8))
    assert SetUps(experiment, [replace(CASE, clock="instructions")], 3, None).number == MOST_COUNTED
    assert SetUps(experiment, [CASE], 3, None).number == 8


def test_cases_that_share_blocks_have_as_many_as_the_one_that_needs_most():
    experiment = made_up.experiment(setups=lambda params: 8 if params["mode"] == "a" else 1)
    other = replace(CASE, params={"mode": "b", "size": 1})
    assert SetUps(experiment, [other], 3, None).number == 1
    assert SetUps(experiment, [other, CASE], 3, None).number == 8


def test_what_is_set_up_anew_for_every_sample_has_one():
    pod_network, scheduler = map(experiment_called, ("pod-network", "scheduler-scoring"))
    assert {pod_network.setups(Point({"load": load})) for load in ("iperf3", "loop")} == {1, 8}
    assert pod_network.setups(Point({"load": "iperf3"})) == 1
    assert scheduler.setups(Point({"trace": "none"})) == 6
    assert scheduler.setups(Point({"trace": "openb"})) == 1


def test_a_budget_holds_as_many_more_as_are_made_at_once():
    stage = Stage({"a": Script()})
    experiment = stage.experiment(setups=everywhere(100))

    def fitting(at_once):
        setups = SetUps(experiment, [CASE], 2, 40, now=stage.now, at_once=at_once)
        with stage.subject(Point(CASE.params), stage) as subject:
            # Each takes the second of its first sample, and so of two stations two: of 40 half.
            return len(setups.open(lambda number: subject))

    assert fitting(1) == 10
    assert fitting(2) == 20
