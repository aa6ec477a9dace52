"""Whether a published figure and ours may be compared, and what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cnbench.analysis.published.figure import RATIO, Figure, Ours


class Comparable(Enum):
    """The verdict; ``IN_PART`` means that the order of magnitude may be compared, no more."""

    FULLY = "comparable"
    IN_PART = "in part"
    NOT = "not comparable"


@dataclass(frozen=True)
class Comparability:
    """A verdict, and the reasons for anything less than comparable."""

    verdict: Comparable
    reasons: tuple[str, ...] = ()


def comparability(figure: Figure, ours: Ours) -> Comparability:
    """Judge by the clock, the machine and what the figure says it is unlike.

    A quotient of two results of one source depends on its machine less than either of them, and
    what follows from a format or a setting not at all.
    """
    if ours.unit != figure.unit:
        return Comparability(
            Comparable.NOT, ("ours counts instructions, which are no time", *figure.unlike)
        )
    if figure.on_any_machine:
        return _by_reasons(figure.unlike)
    emulated = ours.origin.lab == "guest"
    if figure.unit != RATIO and emulated:
        return Comparability(
            Comparable.NOT, ("ours was timed in an emulated machine", *figure.unlike)
        )
    reasons = list(figure.unlike)
    if ours.origin.clock == "instructions":
        reasons.insert(0, "ours is a quotient of instructions, not of times")
    elif emulated:
        reasons.insert(0, "ours was timed in an emulated machine")
    if figure.unit != RATIO:
        reasons.insert(0, "another machine")
    return _by_reasons(tuple(reasons))


def _by_reasons(reasons: tuple[str, ...]) -> Comparability:
    return Comparability(Comparable.IN_PART if reasons else Comparable.FULLY, reasons)
