"""What becomes of a plan when its guests come to a bad end; these guests only say their lines."""

import contextlib
import json
from dataclasses import replace

import made_up
import pytest

from cnbench.core.codec import from_plain
from cnbench.core.venue import Venue
from cnbench.lab.guest.errors import GuestError
from cnbench.measuring.events import CaseEnded, GroupStarted, LabAdvanced, Warned
from cnbench.measuring.guests import runs
from cnbench.measuring.guests.entry import Assignment
from cnbench.measuring.guests.messages import encode_event, event_from_plain
from cnbench.measuring.plan import Plan, make_groups

VENUE = Venue("guest", "wall", "trixie", "v1")
PANIC = GuestError("its kernel panicked: oops", "try again", ["[  1.0] oops", "[  1.1] panic"])


class Guests:
    """Guests that die at the groups whose numbers are listed, once for each time listed."""

    def __init__(self, *deaths):
        self.deaths = list(deaths)
        self.booted = 0

    @contextlib.contextmanager
    def boot(self, kernel, clock, progress, imports, userland):
        assert (kernel, clock) == ("trixie", "wall")
        assert "cnbench.experiments.service_routing" in imports
        self.booted += 1
        yield self

    def run(self, module, request, silence):
        assignment = from_plain(Assignment, request)
        assert (assignment.image, assignment.venue) == ("digest", VENUE)
        for group in assignment.plan.groups:
            yield plain(GroupStarted(group.number, group.experiment, {}, 1.0, 8))
            if group.number in self.deaths:
                self.deaths.remove(group.number)
                raise PANIC
            for case in group.cases:
                result = made_up.result([1.0], case.params["mode"], group=group.number)
                yield plain(CaseEnded(replace(result, case=case)))


def plain(event):
    return json.loads(encode_event(event))


def carried_out(monkeypatch, *deaths):
    guests = Guests(*deaths)
    monkeypatch.setattr(runs.start, "guest", guests.boot)
    monkeypatch.setattr(runs.start, "ensure_built", lambda kernel, progress, _: progress(kernel))
    monkeypatch.setattr(runs.start, "digest", lambda *_: "digest")
    experiment = made_up.experiment()
    groups = make_groups(experiment, VENUE, experiment.grid(False, {}))
    numbered = tuple(replace(g, number=number) for number, g in enumerate(groups))
    told = []
    runs.carry_out_in_guest(Plan(numbered, 8.0, None, 1), VENUE, told.append)
    return guests, told


def statuses(told):
    return [event.result.status for event in told if isinstance(event, CaseEnded)]


def test_a_healthy_guest_is_booted_once_for_all_groups(monkeypatch):
    guests, told = carried_out(monkeypatch)
    assert guests.booted == 1
    assert statuses(told) == ["ok"] * 4


def test_what_a_guest_is_made_of_is_made_first_and_told(monkeypatch):
    _, told = carried_out(monkeypatch)
    assert told[0] == LabAdvanced("trixie")


def test_a_group_whose_guest_died_has_one_more(monkeypatch):
    guests, told = carried_out(monkeypatch, 0)
    assert guests.booted == 2
    assert statuses(told) == ["ok"] * 4
    (warning,) = [event.message for event in told if isinstance(event, Warned)]
    assert "panicked" in warning
    assert "once more" in warning


@pytest.mark.parametrize("group", [0, 1])
def test_the_second_death_fails_the_cases_with_the_last_words_and_the_others_go_on(
    monkeypatch, group
):
    guests, told = carried_out(monkeypatch, group, group)
    assert sorted(statuses(told)) == ["failed", "failed", "ok", "ok"]
    failed = [e.result for e in told if isinstance(e, CaseEnded) and e.result.status == "failed"]
    assert {result.group for result in failed} == {group}
    assert failed[0].reason == "its kernel panicked: oops"
    assert failed[0].stderr == "[  1.0] oops\n[  1.1] panic"
    assert guests.booted == (3 if group == 0 else 2)


def test_events_come_back_from_the_wire_as_they_went():
    event = CaseEnded(made_up.result([1.0, 2.0], "a"))
    assert event_from_plain(plain(event)) == event
    with pytest.raises(ValueError, match="not an event"):
        event_from_plain({"event": "Nonsense"})
