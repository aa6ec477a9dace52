"""Where groups are measured: what the host can do stays there, and comparisons never span labs."""

import made_up
import pytest

from cnbench.core.errors import UnsupportedError, UsageError
from cnbench.core.run import Request
from cnbench.core.venue import HOST, Venue
from cnbench.measuring.venues import Guests, HostFirst, all_on_host, check_request

GUEST = Venue("guest", "instructions", "trixie", "v2")
V1_GUEST = Venue("guest", "instructions", "trixie", "v1")


def lacks_b(params, lab):
    if params["mode"] == "b":
        raise UnsupportedError("no b here", "a guest has it")


def has_all(params, lab):
    """Nothing is missing."""


POINTS = [{"mode": mode, "size": 1} for mode in "ab"]


def request(lab="auto", clock="auto"):
    return Request(("made-up",), False, {"made-up": {}}, lab, clock, None, 1)


def divided(require=lacks_b, guests=Guests(("trixie",)), points=POINTS, named=(), **more):  # noqa: B008
    experiment = made_up.experiment(require=require, **more)
    return list(HostFirst(None, guests, named).divide(experiment, points))


def test_what_the_host_can_do_is_measured_there_alone():
    assert divided(require=has_all) == [(HOST, POINTS)]


def test_a_variant_that_the_host_lacks_has_its_whole_group_in_the_guest_too():
    assert divided() == [(HOST, POINTS[:1]), (GUEST, POINTS)]


def test_a_group_that_the_host_has_nothing_of_is_the_guests_alone():
    assert divided(points=POINTS[1:]) == [(GUEST, POINTS[1:])]


def test_an_experiment_has_the_userland_that_it_asks_for_in_the_guest_and_no_other():
    (_, points), (guest, all_points) = divided(userland="tools")
    assert guest == Venue("guest", "instructions", "trixie", "v2", "tools")
    assert (points, all_points) == (POINTS[:1], POINTS)


def test_groups_are_placed_one_by_one():
    whole = {"mode": "a", "size": 2}
    assert divided(points=[*POINTS, whole]) == [
        (HOST, POINTS[:1]),
        (GUEST, POINTS),
        (HOST, [whole]),
    ]


def test_without_a_guest_the_host_says_what_is_missing():
    assert divided(guests=None) == [(HOST, POINTS)]


def soon_but_b(params):
    return params["mode"] != "b"


def test_what_takes_a_guest_too_long_is_left_to_the_host_which_says_what_it_lacks():
    assert divided(soon=soon_but_b) == [(HOST, POINTS), (GUEST, POINTS[:1])]
    assert divided(soon=lambda params: False) == [(HOST, POINTS)]


def test_variants_that_somebody_named_are_counted_however_long_it_takes():
    assert divided(soon=soon_but_b, named={"made-up"}) == [(HOST, POINTS[:1]), (GUEST, POINTS)]


def test_asked_for_on_the_host_all_is_there():
    experiment = made_up.experiment(require=lacks_b)
    assert list(all_on_host(experiment, POINTS)) == [(HOST, POINTS)]


def test_each_version_of_cgroup_has_a_guest_of_its_own():
    by_version = divided(cgroup=lambda params: {"a": "v1", "b": "v2"}[params["mode"]])
    assert by_version == [(HOST, POINTS[:1]), (GUEST, POINTS[1:]), (V1_GUEST, POINTS[:1])]


def test_each_kernel_has_a_guest():
    kernels = Guests(("bookworm", "trixie"), "wall")
    places = list(kernels.divide(made_up.experiment(), POINTS))
    assert places == [
        (Venue("guest", "wall", kernel, "v2"), POINTS) for kernel in ("bookworm", "trixie")
    ]


def test_the_host_has_no_instruction_clock():
    with pytest.raises(UsageError, match="cannot count instructions"):
        check_request(request(lab="host", clock="instructions"))
