"""Repeats of a run in one file: told apart, merged, gone on with."""

import dataclasses

import made_up

from cnbench.core.proof import Proof, equal
from cnbench.measuring.events import CaseEnded
from cnbench.store.recorder import Recorder
from cnbench.store.repeats import has_repeat, with_repeat

ONE, TWO = made_up.result([1.0, 2.0], twin=[1.0, 2.0]), made_up.result([3.0], twin=[3.0])


def test_samples_say_which_time_round_they_are_of():
    both = with_repeat(with_repeat(None, ONE, 0), TWO, 1)
    assert [(s.repeat, s.block, s.values["cost"]) for s in both.samples] == [
        (0, 0, 1.0), (0, 1, 2.0), (1, 0, 3.0),
    ]  # fmt: skip
    assert [s.repeat for s in both.twin] == [0, 0, 1]
    assert both.proof.holds
    assert both.proof.checks[-1].observed == "1 hold"
    assert has_repeat(both, 1)
    assert not has_repeat(both, 2)


def test_a_repeat_that_was_cut_short_is_measured_again():
    cut = dataclasses.replace(TWO, stopped="interrupted")
    known = with_repeat(with_repeat(None, ONE, 0), cut, 1)
    assert has_repeat(known, 0)
    assert not has_repeat(known, 1)
    again = with_repeat(known, made_up.result([4.0, 5.0]), 1)
    assert [s.values["cost"] for s in again.samples] == [1.0, 2.0, 4.0, 5.0]
    assert has_repeat(again, 1)


def test_a_repeat_that_fails_discredits_the_case():
    failed = made_up.result([9.0], status="failed", reason="the counters stood still")
    found = with_repeat(with_repeat(None, ONE, 0), failed, 1)
    assert found.status == "failed"
    assert found.reason == "in repeat 2: the counters stood still"
    assert len(found.samples) == 3
    assert with_repeat(found, TWO, 2).status == "failed"
    unproven = dataclasses.replace(TWO, proof=Proof((equal("as claimed", 1, 2),)))
    assert not with_repeat(with_repeat(None, ONE, 0), unproven, 1).proof.holds


def test_the_recorder_keeps_them_together(tmp_path):
    recorder = Recorder(made_up.run(), tmp_path / "run.json")
    for repeat, result in enumerate((ONE, TWO)):
        recorder.repeat = repeat
        recorder.listen(CaseEnded(result))
    (case,) = recorder.run.cases
    assert len(case.samples) == 3
