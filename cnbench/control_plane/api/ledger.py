"""What was written, to hold against what was told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Entry:
    """One version of one object.

    Attributes:
        version: the resourceVersion that the server gave it.
        name: of the object.
        sequence: the number that we wrote into it.
        arrived: when the server's word of it was here, in ns of CLOCK_REALTIME.
    """

    version: int
    name: str
    sequence: int
    arrived: int

    @property
    def what(self) -> tuple[int, str, int]:
        """All but the time."""
        return self.version, self.name, self.sequence


@dataclass(frozen=True)
class Account:
    """How what was told differs from what was written.

    Attributes:
        lost: how many writes were not told.
        twice: how many were told again.
        unknown: how many were told that nobody wrote, or with another content.
        disordered: how many were told after a later one.
    """

    lost: int = 0
    twice: int = 0
    unknown: int = 0
    disordered: int = 0

    def __add__(self, other: Account) -> Account:
        return Account(
            self.lost + other.lost,
            self.twice + other.twice,
            self.unknown + other.unknown,
            self.disordered + other.disordered,
        )

    def __str__(self) -> str:
        return (
            f"{self.lost} lost, {self.twice} twice, {self.unknown} unknown, "
            f"{self.disordered} out of order"
        )


def account(written: Iterable[Entry], told: Sequence[Entry]) -> Account:
    """Hold what was ``told`` against what was ``written``."""
    wanted = {entry.what for entry in written}
    times = Counter(entry.what for entry in told)
    return Account(
        lost=len(wanted - times.keys()),
        twice=sum(count - 1 for count in times.values()),
        unknown=len(times.keys() - wanted),
        disordered=sum(later.version < earlier.version for earlier, later in pairwise(told)),
    )


def delays(written: Iterable[Entry], told: Iterable[Iterable[Entry]]) -> list[list[int]]:
    """From each write's answer to its event, in ns, for all who were told of it.

    ``told`` is what each watcher was; a write that nobody was told of is left out.
    """
    answered = {entry.version: entry.arrived for entry in written}
    found: dict[int, list[int]] = {version: [] for version in answered}
    for events in told:
        for event in events:
            if event.version in answered:
                found[event.version].append(event.arrived - answered[event.version])
    return [of_write for of_write in found.values() if of_write]
