"""Set-ups of one case that its samples take in turn."""

import made_up
import pytest

from cnbench.core.experiment import everywhere
from cnbench.core.proof import Check, Proof
from cnbench.lab.timed import TimedParts
from cnbench.measuring.rotation import InTurn


class Numbered:
    def __init__(self, number, *checks):
        self.number = number
        self.checks = checks

    def sample(self):
        return {"cost": self.number}

    def proof(self):
        return Proof(self.checks)


class Capturing(Numbered):
    def capture(self):
        return str(self.number).encode()


HELD, BROKEN = (Check("it went its way", "yes", said, said == "yes") for said in ("yes", "no"))


def test_a_single_set_up_stays_as_it_is():
    setups = InTurn([Numbered(1, HELD)])
    assert setups.proof() == Proof((HELD,))
    assert {setups.of_block(block) for block in range(5)} == {0}


def test_samples_come_from_each_in_turn():
    setups = InTurn([Numbered(1), Numbered(2), Numbered(3)])
    turns = [setups.of_block(block) for block in range(7)]
    assert [setups.sample(turn, TimedParts()).values["cost"] for turn in turns] == [
        1,
        2,
        3,
        1,
        2,
        3,
        1,
    ]


def test_a_proof_says_that_the_others_hold_too():
    proof = InTurn([Numbered(n, HELD) for n in range(4)]).proof()
    assert proof.holds
    assert [check.observed for check in proof.checks] == ["yes", "3 hold"]


@pytest.mark.parametrize("where", [0, 1, 3])
def test_one_broken_set_up_breaks_the_proof_and_is_shown(where):
    subjects = [Numbered(n, BROKEN if n == where else HELD) for n in range(4)]
    proof = InTurn(subjects).proof()
    assert not proof.holds
    assert BROKEN in proof.broken


def test_a_set_up_without_evidence_breaks_the_proof():
    assert not InTurn([Numbered(1, HELD), Numbered(2)]).proof().holds


def test_what_keeps_packets_still_does():
    assert InTurn([Capturing(1, HELD), Capturing(2, HELD)]).capture() == b"1"
    assert InTurn([Numbered(1), Numbered(2)]).capture() is None


def test_the_sampler_opens_and_warms_up_all_of_them(monkeypatch):
    from scripted import Script, Stage

    stage = Stage({"a": Script(value=lambda turn: 99.0 if turn == 0 else 1.0)})
    plain = stage.experiment()
    monkeypatch.setattr(stage, "experiment", lambda: made_up.experiment(
        subject=plain.subject, metrics=plain.metrics, setups=everywhere(3)))  # fmt: skip
    (a,) = stage.run(most_blocks=6).results
    assert stage.opened == {"a": 6}  # three of a, three of a′
    assert {sample.values["cost"] for sample in (*a.samples, *a.twin)} == {1.0}
    assert [sample.setup for sample in a.samples] == [0, 1, 2, 0, 1, 2]
    assert [sample.setup for sample in a.twin] == [0, 1, 2, 0, 1, 2]
