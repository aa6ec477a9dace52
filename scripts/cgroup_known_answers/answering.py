"""Saying what was expected and what was found."""

from __future__ import annotations

missed: list[str] = []


class AbsentError(Exception):
    """This machine has not what is asked for."""


def hold(what: str, expected: object, found: object, holds: bool | None = None) -> None:
    """Say whether ``found`` is ``expected``, or whether it ``holds``."""
    good = expected == found if holds is None else holds
    print(f"  {'ok    ' if good else 'MISSED'} {what}: expected {expected}, found {found}")
    if not good:
        missed.append(what)
