"""Several set-ups of one case that its samples take in turn.

Where the kernel puts what a set-up makes, and how its hash tables shuffle, decides a little of what
everything costs for as long as the set-up lives: on the wall, one of ten pairs of equal set-ups was
2 % apart. No number of samples shows that, unless they come from more than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from cnbench.core.experiment import Accounts, Captures, Subject
from cnbench.core.proof import Proof, all_of
from cnbench.lab.timed import TimedParts
from cnbench.measuring import witness


@runtime_checkable
class WitnessesItself(Protocol):
    """A subject whose samples are taken by another thread than the one that asks."""

    def witnessed(self) -> witness.Witnessed:
        """One observation, with the readings of the thread that made it."""


class InTurn:
    """Set-ups of one case, one or several."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._subjects = subjects

    def __len__(self) -> int:
        return len(self._subjects)

    def of_block(self, block: int) -> int:
        """Whose turn it is in ``block``.

        It follows from the block, so that in each the cases' set-ups are the same pairs, and a
        sample that is taken again is of the set-up that it was to be of.
        """
        return block % len(self._subjects)

    def sample(self, setup: int, timed: TimedParts) -> witness.Witnessed:
        """One observation of ``setup``, which tells ``timed`` of its parts."""
        subject = self._subjects[setup]
        if isinstance(subject, WitnessesItself):
            return subject.witnessed()
        return witness.around(timed, subject.sample)

    def account(self, setup: int) -> bool:
        """Whether the kernel's counters say what ``setup`` has sampled since its last account."""
        subject = self._subjects[setup]
        return subject.account() if isinstance(subject, Accounts) else True

    def proof(self) -> Proof:
        """The first set-up's, whether the others' hold, and what is broken of theirs."""
        return all_of([subject.proof() for subject in self._subjects], "set-ups, sampled in turn")

    def capture(self) -> bytes | None:
        """The packets that the first has kept; None where these keep none."""
        first = self._subjects[0]
        return first.capture() if isinstance(first, Captures) else None
