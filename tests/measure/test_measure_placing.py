"""Where groups are measured: what the host can do stays there, and comparisons never span labs."""

import made_up
import pytest

from cnbench.core.errors import UnsupportedError, UsageError
from cnbench.core.run import Request
from cnbench.measuring.placing import HOST, Place, check_request, guest_places, host_first

GUEST = Place("guest", "instructions", "trixie")


def lacks_b(params, lab):
    if params["mode"] == "b":
        raise UnsupportedError("no b here", "a guest has it")


EXPERIMENT = made_up.experiment(require=lacks_b)
POINTS = [{"mode": mode, "size": 1} for mode in "ab"]


def request(given=None, lab="auto", clock="auto"):
    return Request(("made-up",), False, {"made-up": given or {}}, lab, clock, None, 1)


def placed(given=None, guests=(GUEST,)):
    return host_first(request(given), None, guests)(EXPERIMENT, POINTS)


def test_a_named_variant_that_the_host_lacks_has_its_whole_group_in_the_guest_too():
    assert placed({"mode": ("a", "b")}) == [(HOST, POINTS[:1]), (GUEST, POINTS)]


def test_the_host_says_what_is_missing_of_variants_that_nobody_named():
    assert placed() == [(HOST, POINTS)]


def test_without_a_guest_the_host_says_what_is_missing():
    assert placed({"mode": ("a", "b")}, guests=()) == [(HOST, POINTS)]


def test_the_host_has_no_instruction_clock():
    with pytest.raises(UsageError, match="cannot count instructions"):
        check_request(request(lab="host", clock="instructions"))


def test_a_guest_keeps_the_clock_that_was_asked_for():
    assert guest_places(request(), "instructions") == [GUEST]
    assert guest_places(request(clock="wall"), "instructions")[0].clock == "wall"
