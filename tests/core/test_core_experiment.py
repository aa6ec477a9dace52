import itertools

import made_up
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.core.case import Case, Group
from cnbench.core.errors import UsageError
from cnbench.core.parameter import Parameter


def no_big_a(params):
    return "a is never big" if (params["mode"], params["size"]) == ("a", 2) else ""


def test_a_grid_is_every_combination_in_order():
    points = made_up.experiment().grid(False, {})
    assert points == [{"mode": m, "size": s} for m, s in itertools.product("ab", (1, 2))]


def test_full_values_and_given_values_replace_the_quick_ones():
    experiment = made_up.experiment()
    assert len(experiment.grid(True, {})) == 6
    assert experiment.grid(True, {"size": (7,), "mode": ("b",)}) == [{"mode": "b", "size": 7}]


def test_nonsense_is_left_out():
    points = made_up.experiment(nonsense=no_big_a).grid(False, {})
    assert {"mode": "a", "size": 2} not in points
    assert len(points) == 3


def test_nothing_but_nonsense_is_refused_with_its_reason():
    with pytest.raises(UsageError, match="made-up: a is never big"):
        made_up.experiment(nonsense=no_big_a).grid(False, {"mode": ("a",), "size": (2,)})


def test_values_follow_from_the_parameters_before_them():
    experiment = made_up.experiment()
    doubled = Parameter("twice", "", lambda p: (p["size"] * 2,), (0,))
    following = made_up.experiment(parameters=(*experiment.parameters, doubled))
    assert all(point["twice"] == 2 * point["size"] for point in following.grid(False, {}))


@given(st.lists(st.sampled_from(["mode", "size"]), unique=True))
def test_groups_hold_every_point_once_and_only_what_may_differ_differs(beside):
    experiment = made_up.experiment(beside=tuple(beside))
    points = experiment.grid(True, {})
    groups = experiment.groups(points)
    assert sorted(map(str, points)) == sorted(str(p) for group in groups for p in group)
    for group in groups:
        differing = {n for n in group[0] if len({point[n] for point in group}) > 1}
        assert differing <= {"mode", *beside}


def test_an_unknown_parameter_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match="made-up has no parameter 'colour'") as refusal:
        made_up.experiment().parameter("colour")
    assert "mode, size" in refusal.value.remedy


def test_a_group_knows_what_its_cases_share():
    cases = tuple(Case("made-up", {"mode": mode, "size": 2}) for mode in "ab")
    assert Group(cases).shared == {"size": 2}
    assert Group(cases).title == "made-up size=2"


def test_a_case_is_told_by_its_point_and_its_place():
    host = Case("made-up", {"size": 2})
    guest = Case("made-up", {"size": 2}, "guest", "instructions", "trixie")
    assert host.point == guest.point == "made-up size=2"
    assert guest.key == "guest instructions trixie made-up size=2"
    assert host.key != guest.key


def test_what_is_asked_for_in_vain_is_named_with_its_reason():
    experiment = made_up.experiment(nonsense=no_big_a)
    given = {"mode": ("a", "b"), "size": (1, 2)}
    (vain,) = experiment.senseless(False, given)
    asked, reason = vain
    assert reason == no_big_a(asked)
    assert asked not in experiment.grid(False, given)


def test_what_was_not_asked_for_by_name_is_left_out_in_silence():
    experiment = made_up.experiment(nonsense=no_big_a)
    assert experiment.senseless(False, {}) == []
    assert experiment.senseless(False, {"mode": ("a",)}) == []


def test_a_mistaken_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError) as refused:
        made_up.experiment().parameter("sise")
    assert refused.value.remedy.startswith("did you mean size? choose from")
