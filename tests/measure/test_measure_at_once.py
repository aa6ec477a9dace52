"""Groups in several guests at once; these guests only say their lines, but in real processes."""

import contextlib
import multiprocessing
import os
import signal
from dataclasses import replace

import made_up
import pytest
from test_measure_guest_runs import PANIC, plain

from cnbench.core.codec import from_plain
from cnbench.core.errors import UnsupportedError
from cnbench.core.venue import Venue
from cnbench.measuring import dispatch
from cnbench.measuring.events import CaseEnded, GroupEnded, GroupStarted, LabAdvanced, Warned
from cnbench.measuring.guests import at_once, jobs, runs
from cnbench.measuring.guests.entry import Assignment
from cnbench.measuring.plan import Plan, make_groups

VENUE = Venue("guest", "instructions", "trixie", "v2")
PATIENCE = 60.0


class Guests:
    """Guests that say where they run; what befalls one when it is at a group, by its size.

    What befalls is called in the worker that looks after the guest.
    """

    def __init__(self, meeting=0, **befalls):
        self.befalls = befalls
        self.barrier = multiprocessing.Barrier(meeting) if meeting else None

    @contextlib.contextmanager
    def boot(self, kernel, clock, progress, imports, userland):
        progress(f"booted on {sorted(os.sched_getaffinity(0))} by {os.getpid()}")
        yield self

    def run(self, module, request, silence):
        (group,) = from_plain(Assignment, request).plan.groups
        yield plain(GroupStarted(group.number, group.experiment, {}, 1.0, 8))
        if self.barrier:
            self.barrier.wait(PATIENCE)  # broken unless that many are here at once
        self.befalls.get(f"size{group.cases[0].params['size']}", lambda: None)()
        for case in group.cases:
            result = made_up.result([1.0], case.params["mode"], group=group.number)
            yield plain(CaseEnded(replace(result, case=case)))
        yield plain(GroupEnded(group.number))


def plan_of(count):
    experiment = made_up.experiment()
    groups = make_groups(experiment, VENUE, experiment.grid(False, {}))
    numbered = tuple(replace(groups[n % len(groups)], number=n) for n in range(count))
    return Plan(numbered, 8.0, None, 1)


@pytest.fixture
def carried_out(monkeypatch):
    monkeypatch.setattr(at_once.start, "ensure_built", lambda *_: None)
    monkeypatch.setattr(at_once.start, "check_digests", lambda *_: None)
    monkeypatch.setattr(runs.start, "digest", lambda *_: "digest")
    monkeypatch.setattr(runs.start, "setup_name", lambda *_: "none is saved so")
    told = []

    def carry_out(guests, count=2, at_most=2, listen=lambda event: None):
        monkeypatch.setattr(runs.start, "guest", guests.boot)

        def keep(event):
            told.append(event)
            listen(event)

        dispatch.measure(plan_of(count), keep, at_most)
        return told

    carry_out.told = told
    yield carry_out
    assert multiprocessing.active_children() == []


def of(kind, told):
    return [event for event in told if isinstance(event, kind)]


def once(action, tmp_path):
    """``action``, the first time that it is called in any process."""

    def act():
        with contextlib.suppress(FileExistsError):
            (tmp_path / "acted").touch(exist_ok=False)
            action()

    return act


def kill_this():
    os.kill(os.getpid(), signal.SIGKILL)


def panic():
    raise PANIC


def test_groups_are_measured_at_once_each_in_a_guest_of_its_own(carried_out):
    told = carried_out(Guests(meeting=2), count=4)
    guests = [event.what for event in of(LabAdvanced, told)]
    assert len({what.partition(" by ")[2] for what in guests}) == 4
    results = [event.result for event in of(CaseEnded, told)]
    assert sorted(result.group for result in results) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert {result.status for result in results} == {"ok"}
    assert sorted(event.number for event in of(GroupEnded, told)) == [0, 1, 2, 3]


def test_each_has_a_processor_of_its_own(carried_out):
    processors = jobs.processors()
    told = carried_out(Guests(meeting=len(processors)), len(processors), len(processors))
    where = {event.what.partition(" by ")[0] for event in of(LabAdvanced, told)}
    assert where == {f"booted on [{n}]" for n in processors}


def test_one_at_a_time_needs_no_worker(carried_out):
    told = carried_out(Guests(), at_most=1)
    assert all(event.what.endswith(f" by {os.getpid()}") for event in of(LabAdvanced, told))
    assert [event.number for event in of(GroupEnded, told)] == [0, 1]


@pytest.mark.parametrize("at_most", [1, 2])
def test_a_listener_hears_which_group_and_what_tells_it_from_all_others(carried_out, at_most):
    told = carried_out(Guests(), at_most=at_most)
    started = {event.number: event for event in of(GroupStarted, told)}
    assert [started[n].params for n in range(2)] == [{"size": 1}, {"size": 2}]
    assert {event.group for event in of(LabAdvanced, told)} == {0, 1}


def test_a_group_whose_worker_was_killed_is_measured_once_more(carried_out, tmp_path):
    told = carried_out(Guests(size2=once(kill_this, tmp_path)))
    (warned,) = of(Warned, told)
    assert "has ended: exit code -9; trying made-up size=2 once more" in warned.message
    assert {event.result.status for event in of(CaseEnded, told)} == {"ok"}


@pytest.mark.parametrize(
    ("befalls", "reason"),
    [(kill_this, "the process that looked after it has ended"), (panic, "its kernel panicked")],
)
def test_the_second_bad_end_fails_its_cases_and_no_others(carried_out, befalls, reason):
    told = carried_out(Guests(size2=befalls), count=3)
    status = {(e.result.group, e.result.status) for e in of(CaseEnded, told)}
    assert status == {(0, "ok"), (1, "failed"), (2, "ok")}
    failed = [e.result for e in of(CaseEnded, told) if e.result.status == "failed"]
    assert len(failed) == 2
    assert all(reason in result.reason for result in failed)
    assert len(of(Warned, told)) == 1


def unsupported():
    raise UnsupportedError("no QEMU here", "install it")


def test_what_cannot_be_done_at_all_stops_the_others(carried_out):
    with pytest.raises(UnsupportedError, match="no QEMU here") as raised:
        carried_out(Guests(size1=unsupported, size2=signal.pause))
    assert raised.value.remedy == "install it"


def test_a_stop_stops_all_of_them(carried_out):
    def stop(event):
        if len(of(GroupStarted, carried_out.told)) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carried_out(Guests(meeting=2, size1=signal.pause, size2=signal.pause), listen=stop)


@pytest.mark.parametrize(
    ("available", "guests"), [(100, 1), (3_000_000, 1), (4_000_000, 1), (8_000_000, 2)]
)
def test_no_more_guests_than_memory_allows(tmp_path, monkeypatch, available, guests):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(f"MemTotal: 99999999 kB\nMemAvailable:  {available} kB\n")
    monkeypatch.setattr(jobs, "Path", lambda _: meminfo)
    monkeypatch.setattr(jobs, "processors", lambda: [0, 1, 2, 3])
    assert jobs.number_of_jobs(None) == guests
    assert jobs.number_of_jobs(3) == 3
    monkeypatch.setattr(jobs, "processors", lambda: [2])
    assert jobs.number_of_jobs(None) == 1
