import made_up
import pytest

from cnbench.core.errors import UsageError
from cnbench.core.run import Request
from cnbench.measuring.plan import FULL_COUNTED_BLOCKS, QUICK_SECONDS, make_plan, parse_given
from cnbench.measuring.venues import Guests, all_on_host

EXPERIMENT = made_up.experiment()


def request(full=False, given=None, budget=None):
    return Request(("made-up",), full, {"made-up": given or {}}, "auto", "auto", budget, 1)


def plan(done=(), **asked):
    return make_plan(request(**asked), lambda name: EXPERIMENT, all_on_host, done)


def test_variants_share_a_group():
    groups = plan().groups
    assert [group.shared for group in groups] == [{"size": 1}, {"size": 2}]
    assert [[case.params["mode"] for case in group.cases] for group in groups] == [["a", "b"]] * 2
    assert [group.number for group in groups] == [0, 1]


def test_each_experiment_and_point_is_asked_for_once():
    asked = []

    def experiment_called(name):
        asked.append(name)
        return EXPERIMENT

    def divide(experiment, points):
        asked.append([point["size"] for point in points])
        return all_on_host(experiment, points)

    make_plan(request(), experiment_called, divide)
    assert asked == ["made-up", [1, 2, 1, 2]]


def test_a_groups_venue_is_that_of_its_cases():
    by_mode = made_up.experiment(cgroup=lambda params: {"a": "v1", "b": "v2"}[params["mode"]])
    groups = make_plan(request(), lambda name: by_mode, Guests(("trixie",)).divide).groups
    assert [(group.venue.cgroup, group.cases[0].params["mode"]) for group in groups] == [
        ("v2", "b"), ("v2", "b"), ("v1", "a"), ("v1", "a"),
    ]  # fmt: skip
    assert {case.where for group in groups for case in group.cases} == {
        ("guest", "instructions", "trixie")
    }


def test_a_group_is_told_from_others_of_its_experiment_by_what_differs():
    two = plan()
    assert [two.telling(group) for group in two.groups] == [{"size": 1}, {"size": 2}]
    alone = plan(given={"size": (1,)})
    assert alone.telling(alone.groups[0]) == {}


def test_a_full_run_has_more_values_and_more_time():
    assert len(plan(full=True).groups) == 3
    assert plan(full=True).seconds > plan().seconds


def test_a_resumed_plan_has_only_groups_that_lack_a_case():
    done = [made_up.result([1], mode, size=1, group=5) for mode in "ab"]
    (group,) = plan(done).groups
    assert group.shared == {"size": 2}
    assert group.number == 6  # no number of the run is used twice


def test_half_a_group_is_measured_again_as_a_whole():
    groups = plan([made_up.result([1], "a", size=1)]).groups
    assert [len(group.cases) for group in groups] == [2, 2]


def test_nothing_is_left_of_a_run_that_has_all():
    done = [made_up.result([1], mode, size) for mode in "ab" for size in (1, 2)]
    assert plan(done).groups == ()


def test_assignments_are_read_in_a_persons_units():
    given = parse_given([EXPERIMENT], ["mode=b,a", "size=3, 1,3"])
    assert given == {"made-up": {"mode": ("b", "a"), "size": (3, 1)}}


def test_an_assignment_is_for_every_experiment_that_has_the_parameter():
    other = made_up.experiment("other", parameters=EXPERIMENT.parameters[:1])
    given = parse_given([EXPERIMENT, other], ["size=3", "mode=a"])
    assert given == {"made-up": {"size": (3,), "mode": ("a",)}, "other": {"mode": ("a",)}}


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("mode", "'mode' does not set a parameter"),
        ("mode=", "'mode=' does not set a parameter"),
        ("=a", "has no parameter ''"),
        ("colour=red", "made-up has no parameter 'colour'"),
        ("size=1,,2", "size: '' is not a number"),
        ("size=10", "size: 10 is out of range"),
        ("mode=c", "mode: 'c' is not one of its values"),
    ],
)
def test_a_bad_assignment_is_refused(assignment, words):
    with pytest.raises(UsageError, match=words):
        parse_given([EXPERIMENT], [assignment])


def test_of_several_experiments_none_may_have_it():
    with pytest.raises(UsageError, match="no experiment has a parameter 'colour'") as refusal:
        parse_given([EXPERIMENT, made_up.experiment("other")], ["colour=red"])
    assert "mode, size" in refusal.value.remedy


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_an_experiment_may_take_a_share_of_the_time_of_a_group(share):
    assert plan().policy(0, 0.0, share).budget == share * QUICK_SECONDS


def test_a_budget_is_divided_whatever_the_shares():
    assert plan(budget=10.0).policy(0, 0.0, 0.25).budget == plan(budget=10.0).policy(0, 0.0).budget


def test_a_share_of_the_blocks_leaves_as_many_as_an_interval_needs():
    counted = make_plan(
        request(full=True), lambda name: EXPERIMENT, Guests(("trixie",), "instructions").divide
    )
    blocks = [counted.policy(0, 0.0, share).most_blocks for share in (1.0, 0.1)]
    assert blocks == [FULL_COUNTED_BLOCKS, 6]
