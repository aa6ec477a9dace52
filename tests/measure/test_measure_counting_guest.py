"""Groups that are set up once, and gone on from; these guests say their lines and keep a count."""

import contextlib
import json
from dataclasses import replace

import made_up
import pytest
from test_measure_guest_runs import plain

from cnbench.core.codec import from_plain
from cnbench.core.run import Request, Run
from cnbench.core.venue import Venue
from cnbench.lab.guest import saved_setups
from cnbench.lab.guest.errors import GuestError
from cnbench.measuring.events import (
    BlockEnded,
    CaseEnded,
    EnvironmentFound,
    GroupEnded,
    GroupReady,
    GroupStarted,
    LabAdvanced,
    Warned,
    WentOn,
    WorkAdvanced,
)
from cnbench.measuring.guests import counting, runs
from cnbench.measuring.guests.entry import Assignment
from cnbench.measuring.plan import Plan, make_groups
from cnbench.store import repeats

VENUE = Venue("guest", "instructions", "trixie", "v2")


class Channel:
    def __init__(self):
        self.sent = []

    def send(self, message):
        self.sent.append(message)


class Guest:
    """Says what a guest says; it only goes on once it was told to, as a real one does."""

    def __init__(self, group, setups, sound=True, dies=False):
        self.group = group
        self.setups = setups
        self.sound = sound
        self.dies = dies
        self.channel = Channel()

    def run(self, module, request, silence):
        assert from_plain(Assignment, request).pauses
        self.setups.append(self.group)
        number = self.group.number
        yield plain(EnvironmentFound(made_up.HERE))
        yield plain(GroupStarted(number, self.group.experiment, {}, 1.0, 8))
        yield plain(WorkAdvanced(self.group.cases[0], False, "half of it", number))
        yield plain(GroupReady(number, self.sound))
        yield from self.hear(module, silence)

    def hear(self, module, silence):
        assert self.channel.sent == [{"go": "on"}]
        if self.dies:
            raise GuestError("its kernel panicked")
        yield plain(BlockEnded(self.group.number, 0, 1.0, 0.1))
        for case in self.group.cases:
            result = made_up.result([1.0], case.params["mode"], group=self.group.number)
            yield plain(CaseEnded(replace(result, case=case)))
        yield plain(GroupEnded(self.group.number))


class Cache:
    """The saved set-ups: what was told, by name."""

    def __init__(self):
        self.told = {}
        self.full = False

    def find(self, name):
        if name not in self.told:
            return None
        return saved_setups.SavedSetup(name, self.told[name], "2026-11-29T04:52:00+00:00")

    def save(self, name, machine, told):
        if self.full:
            raise OSError("no space left")
        self.told[name] = list(told)

    def forget(self, name):
        del self.told[name]


@pytest.fixture
def measured(monkeypatch):
    """Measures a group, and gives what was told; ``measured.setups`` are the groups set up."""
    cache = Cache()
    setups = []

    def measure(number=3, size=1, kernel="trixie", code="code", restored=Guest, **how):
        experiment = made_up.experiment()
        venue = replace(VENUE, kernel=kernel)
        points = [point for point in experiment.grid(False, {}) if point["size"] == size]
        (group,) = make_groups(experiment, venue, points)
        guest = {key: how.pop(key) for key in ("sound", "dies") if key in how}

        @contextlib.contextmanager
        def boot(kernel, clock, progress, imports, userland):
            yield Guest(replace(group, number=0), setups, **guest)

        @contextlib.contextmanager
        def go_on(kernel, state, userland):
            yield restored(replace(group, number=0), setups)

        for name, fake in (("guest", boot), ("guest_as_saved", go_on)):
            monkeypatch.setattr(counting.start, name, fake)
        names = lambda kernel, imports, key, userland: f"{kernel} {code} {key}"  # noqa: E731
        monkeypatch.setattr(counting.start, "setup_name", names)
        monkeypatch.setattr(counting.start, "digest", lambda *_: "digest")
        monkeypatch.setattr(counting.start, "ensure_built", lambda *_: None)
        for name in ("find", "save", "forget"):
            monkeypatch.setattr(counting.saved_setups, name, getattr(cache, name))
        told = []
        plan = Plan((replace(group, number=number),), **{**PLAN, **how})
        runs.carry_out_in_guest(plan, venue, told.append)
        return told

    measure.cache, measure.setups = cache, setups
    return measure


PLAN = {"seconds": 8.0, "budget": None, "seed": 1}


def of(kind, told):
    return [event for event in told if isinstance(event, kind)]


def test_what_was_set_up_once_is_gone_on_from_and_says_so(measured):
    first = measured()
    again = measured()
    assert len(measured.setups) == 1
    assert of(WentOn, first) == []
    assert again[0] == WentOn(3, "2026-11-29T04:52:00+00:00")
    # All that was told of the set-up is told again, but how far it was on the way.
    assert again[1:] == [event for event in first if not isinstance(event, WorkAdvanced)]


def test_a_set_up_is_anybodys_whatever_number_the_group_has(measured):
    measured(number=3)
    told = measured(number=8)
    assert len(measured.setups) == 1
    assert {event.number for event in of(GroupStarted | BlockEnded | GroupEnded, told)} == {8}
    assert {event.result.group for event in of(CaseEnded, told)} == {8}


@pytest.mark.parametrize(
    "other",
    [
        {"size": 2},
        {"kernel": "bookworm"},
        {"code": "changed"},
        {"inputs": {"mine.yaml": "kind: Service"}},
        {"fewest_setups": 6},
        {"seconds": 60.0},
    ],
)
def test_what_goes_into_it_tells_set_ups_apart(measured, other):
    measured()
    told = measured(**other)
    assert len(measured.setups) == 2
    assert of(WentOn, told) == []


def test_what_is_asked_for_anew_is_set_up_and_not_kept(measured):
    measured()
    kept = dict(measured.cache.told)
    assert of(WentOn, measured(anew=True)) == []
    assert len(measured.setups) == 2
    assert measured.cache.told == kept


def test_repeats_have_set_ups_of_their_own(monkeypatch):
    monkeypatch.setattr(repeats, "plan_for", lambda request, done: Plan((), **PLAN))
    request = Request(("made-up",), False, {}, "guest", "instructions", None, 1, repeats=3)
    run = Run("id", "now", "version", request, {})
    assert [plan.anew for plan in repeats.plans_for(run)] == [False, True, True]


def test_a_set_up_in_which_something_failed_is_not_kept(measured):
    measured(sound=False)
    assert measured.cache.told == {}
    assert of(WentOn, measured()) == []


def test_where_there_is_no_room_it_is_measured_all_the_same_and_told(measured):
    measured.cache.full = True
    told = measured()
    assert len(of(CaseEnded, told)) == 2
    assert [e.what for e in of(LabAdvanced, told)] == ["its set-up was not saved: no space left"]


def test_one_that_cannot_be_read_is_forgotten_and_set_up_anew(measured):
    measured()

    def broken(*_):
        raise GuestError("the guest's state was not transferred")

    told = measured(restored=broken)
    assert len(measured.setups) == 2
    assert len(of(CaseEnded, told)) == 2
    assert "setting up anew" in of(LabAdvanced, told)[0].what


def test_one_that_has_just_made_room_is_set_up_anew(measured):
    measured()

    def gone(*_):
        raise FileNotFoundError("state")

    measured(restored=gone)
    assert len(measured.setups) == 2


def test_a_guest_that_dies_after_it_went_on_is_set_up_anew_the_second_time(measured):
    measured()
    told = measured(restored=lambda group, setups: Guest(group, setups, dies=True))
    assert len(of(WentOn, told)) == 1
    assert len(measured.setups) == 2
    assert {event.result.status for event in of(CaseEnded, told)} == {"ok"}
    assert "once more" in of(Warned, told)[0].message


def test_a_saved_set_up_is_plain_json(measured):
    measured()
    (told,) = measured.cache.told.values()
    assert json.loads(json.dumps(told)) == told
