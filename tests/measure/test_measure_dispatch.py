import contextlib
from dataclasses import replace
from types import SimpleNamespace

import made_up
import pytest
from scripted import Script, Stage

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.measuring import dispatch
from cnbench.measuring.events import CaseEnded, EnvironmentFound, Warned
from cnbench.measuring.plan import Plan


@pytest.fixture
def measured_with(monkeypatch):
    """Measures two groups in a lab whose opening or closing fails."""

    def measure(opening=None, closing=None):
        stage = Stage({"a": Script()})

        @contextlib.contextmanager
        def open_lab(name, clock):
            if opening:
                raise opening
            yield stage
            if closing:
                raise closing

        monkeypatch.setattr(dispatch, "open_lab", open_lab)
        monkeypatch.setattr(dispatch, "experiment_called", lambda name: stage.experiment())
        monkeypatch.setattr(dispatch, "fingerprint", SimpleNamespace(take=lambda lab: made_up.HERE))
        groups = (stage.group(size=1, number=0), stage.group(size=2, number=1))
        told = []
        dispatch.measure(Plan(groups, 10.0, None, seed=1), told.append)
        return told

    return measure


def test_the_environment_is_told_before_the_cases(measured_with):
    told = measured_with()
    assert told[0] == EnvironmentFound(made_up.HERE)
    ended = [event.result for event in told if isinstance(event, CaseEnded)]
    assert [result.case.params["size"] for result in ended] == [1, 2]
    assert {result.fingerprint for result in ended} == {made_up.HERE.digest}


def test_a_lab_that_cannot_be_opened_is_an_error(measured_with):
    with pytest.raises(CnbenchError, match="no room for a journal"):
        measured_with(opening=CnbenchError("no room for a journal"))


def test_a_lab_that_cannot_be_closed_is_a_warning(measured_with):
    told = measured_with(closing=CnbenchError("the cgroup is busy"))
    assert told[-1] == Warned("the cgroup is busy; `cnbench gc` will try again")
    assert sum(isinstance(event, CaseEnded) for event in told) == 2


def test_guests_come_after_the_host_in_the_order_they_were_named(monkeypatch):
    stage = Stage({"a": Script()})
    plain = stage.group(size=1, number=0)

    def at(lab, kernel, number):
        cases = tuple(replace(case, lab=lab, kernel=kernel) for case in plain.cases)
        return replace(plain, cases=cases, number=number)

    measured = []
    monkeypatch.setattr(dispatch, "_carry_out_here", lambda part, listen: measured.append(part))
    monkeypatch.setattr(
        dispatch, "carry_out_in_guest", lambda part, venue, listen: measured.append(part)
    )
    named = [("guest", "trixie"), ("guest", "bookworm"), ("host", ""), ("guest", "trixie")]
    groups = tuple(at(lab, kernel, number) for number, (lab, kernel) in enumerate(named))
    dispatch.measure(Plan(groups, 10.0, None, seed=1), print)
    assert [[g.number for g in part.groups] for part in measured] == [[2], [0, 3], [1]]


@pytest.fixture
def without_guests(monkeypatch):
    """Measures a group on each of ``labs`` where no guest can be had."""

    def refuse(part, venue, listen):
        raise UnsupportedError("no QEMU here", "install it")

    def measure(*labs):
        stage = Stage({"a": Script()})
        monkeypatch.setattr(dispatch, "_carry_out_here", lambda part, listen: listen("the host's"))
        monkeypatch.setattr(dispatch, "carry_out_in_guest", refuse)
        plain = stage.group(size=1, number=0)
        groups = tuple(
            replace(plain, cases=tuple(replace(case, lab=lab) for case in plain.cases), number=n)
            for n, lab in enumerate(labs)
        )
        told = []
        dispatch.measure(Plan(groups, 10.0, None, seed=1), told.append)
        return told

    return measure


def test_where_no_guest_can_be_had_one_line_says_so_and_the_rest_stands(without_guests):
    told = without_guests("host", "guest", "guest")
    assert told[0] == "the host's"
    (warning,) = told[1:]
    assert warning.message == "no QEMU here; what the host cannot do is left out (install it)"


def test_where_all_was_to_be_in_a_guest_there_is_nothing_without_one(without_guests):
    with pytest.raises(UnsupportedError, match="no QEMU here"):
        without_guests("guest")
