"""Evidence that a number measured what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Check:
    """One claim about the path that was measured, beside what was observed."""

    claim: str
    expected: str
    observed: str
    holds: bool


@dataclass(frozen=True)
class Proof:
    """All the checks of one case; without at least one check there is no proof."""

    checks: tuple[Check, ...] = field(default=())

    @property
    def holds(self) -> bool:
        """Whether there is evidence, and all of it supports the claim."""
        return bool(self.checks) and all(check.holds for check in self.checks)

    @property
    def broken(self) -> tuple[Check, ...]:
        """The checks that do not hold."""
        return tuple(check for check in self.checks if not check.holds)


def all_of(proofs: Sequence[Proof], what: str) -> Proof:
    """The first of ``proofs``, whether the others hold, and what is broken of theirs.

    ``what`` they are is said of the others; a single proof stays as it is.
    """
    first, *others = proofs
    if not others:
        return first
    held = sum(proof.holds for proof in others)
    same = Check(
        f"all of this of {len(others)} more {what}",
        f"{len(others)} hold",
        f"{held} hold",
        held == len(others),
    )
    return Proof((*first.checks, same, *(check for proof in others for check in proof.broken)))


def equal(claim: str, expected: object, observed: object) -> Check:
    """A check that ``observed`` is exactly ``expected``."""
    return Check(claim, str(expected), str(observed), expected == observed)


def true(claim: str, observed: object, holds: bool) -> Check:
    """A check whose expectation is the claim itself."""
    return Check(claim, "true", str(observed), holds)
