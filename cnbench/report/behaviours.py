"""What kernels do, beside each other, as a section of the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cnbench.behaviours.registry import all_behaviours
from cnbench.behaviours.table import Table


@dataclass(frozen=True)
class Cell:
    """What one kernel answered: ``differs`` from the one before; ``reason`` why it did not."""

    answer: str
    differs: bool
    reason: str


@dataclass(frozen=True)
class BehaviourLine:
    """One behaviour with all kernels' answers."""

    name: str
    question: str
    method: str
    matters: str
    source: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class BehaviourSection:
    """All of them; ``differing`` is how many rows have two different answers."""

    releases: tuple[str, ...]
    lines: tuple[BehaviourLine, ...]
    differing: int


def behaviours_of(table: Table) -> BehaviourSection | None:
    """The section on ``table``, or None where no kernel was asked."""
    if not table.columns:
        return None
    releases = tuple(column.release for column in table.columns)
    return BehaviourSection(releases, tuple(_lines(table)), len(table.differing()))


def _lines(table: Table) -> Iterator[BehaviourLine]:
    known = all_behaviours()
    # A file may have answers to what this cnbench does not ask any more.
    for name in (name for name in table.behaviours if name in known):
        behaviour = known[name]
        cells = tuple(
            Cell(found.answer if found else "", differs, found.reason if found else "not asked")
            for found, differs in zip(table.row(name), table.marks(name), strict=True)
        )
        yield BehaviourLine(
            name, behaviour.question, behaviour.method, behaviour.matters, behaviour.source, cells
        )
