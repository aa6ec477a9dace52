"""Several set-ups of one case that its samples take in turn.

Where the kernel puts what a set-up makes, and how its hash tables shuffle, decides a little of what
everything costs for as long as the set-up lives: on the wall, one of ten pairs of equal set-ups was
2 % apart. No number of samples shows that, unless they come from more than one.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from cnbench.core.experiment import Captures, Subject
from cnbench.core.proof import Check, Proof


def in_turn(subjects: Sequence[Subject]) -> Subject:
    """One subject whose samples are those of ``subjects`` in turn; a single one stays as it is."""
    if len(subjects) == 1:
        return subjects[0]
    captures = isinstance(subjects[0], Captures)
    return CapturingInTurn(subjects) if captures else InTurn(subjects)


class InTurn:
    """Set-ups of one case. Use ``in_turn``."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._subjects = subjects
        self._turns = itertools.cycle(subjects)

    def sample(self) -> Mapping[str, float]:
        """One of the next set-up."""
        return next(self._turns).sample()

    def proof(self) -> Proof:
        """The first set-up's, whether the others' hold, and what is broken of theirs."""
        first, *others = (subject.proof() for subject in self._subjects)
        broken = [check for proof in others for check in proof.broken]
        held = sum(proof.holds for proof in others)
        same = Check(
            f"all of this of {len(others)} more set-ups, sampled in turn",
            f"{len(others)} hold",
            f"{held} hold",
            held == len(others),
        )
        return Proof((*first.checks, same, *broken))


class CapturingInTurn(InTurn):
    """Set-ups that keep packets."""

    def capture(self) -> bytes:
        """What the first set-up has kept."""
        first = self._subjects[0]
        return first.capture() if isinstance(first, Captures) else b""
