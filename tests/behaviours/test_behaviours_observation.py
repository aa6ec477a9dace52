"""What becomes of a probe that answers, cannot be asked, or fails."""

from dataclasses import replace

import pytest

from cnbench.behaviours.behaviour import Behaviour, absent
from cnbench.behaviours.observation import observe
from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.lab.host import open_lab

MADE_UP = Behaviour("made.up", "Which?", "asks", "it does", "nowhere",
                    probe=lambda lab: "this", controls=(lambda lab: "that",))  # fmt: skip


@pytest.fixture
def lab(tmp_path):
    with open_lab("host", "wall", tmp_path) as opened:
        yield opened


def raising(error):
    def probe(lab):
        raise error

    return probe


def test_an_answer_is_kept_with_what_its_controls_said(lab):
    found = observe(MADE_UP, lab, controls=True)
    assert (found.status, found.answer, found.controls) == ("ok", "this", ("that",))
    assert found.control_differs


def test_without_controls_none_is_asked(lab):
    assert observe(replace(MADE_UP, controls=(raising(OSError("asked")),)), lab).status == "ok"


def test_a_probe_that_never_answers_otherwise_is_found_out(lab):
    blind = replace(MADE_UP, controls=(lambda lab: "this", lambda lab: "this"))
    assert not observe(blind, lab, controls=True).control_differs


def test_what_a_kernel_does_not_have_needs_no_control(lab):
    def answer(lab):
        return absent("such file")

    missing = replace(MADE_UP, probe=answer, controls=(answer,))
    assert observe(missing, lab, controls=True).control_differs


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnsupportedError("there is none", "get one"), "unsupported"),
        (CnbenchError("it broke"), "failed"),
        (PermissionError(13, "denied"), "failed"),
    ],
)
def test_who_gives_no_answer_says_why(lab, error, status):
    found = observe(replace(MADE_UP, probe=raising(error)), lab)
    assert (found.status, found.answer) == (status, "")
    assert str(error) in found.reason


def test_what_changes_the_machine_is_never_asked_on_the_host(lab):
    asked = []
    harmful = replace(MADE_UP, probe=lambda lab: asked.append(1) or "", changes_machine=True)
    assert observe(harmful, lab).status == "unsupported"
    assert asked == []


def test_a_missing_tool_is_no_failure(lab):
    assert observe(replace(MADE_UP, tools=("cnbench-no-tool",)), lab).status == "unsupported"
