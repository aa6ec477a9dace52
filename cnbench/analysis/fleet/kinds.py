"""Nodes of one kind: of the same hardware, kernel and image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnbench.analysis.fleet.nodes import Node


@dataclass(frozen=True)
class Kind:
    """Nodes that were bought and booted alike.

    Attributes:
        letter: its name in a report; A is the largest.
        nodes: their names.
        apart: what it has otherwise than the largest kind, by name; of that one what it is.
    """

    letter: str
    nodes: tuple[str, ...]
    apart: tuple[tuple[str, str], ...]


def kinds_of(nodes: Sequence[Node]) -> list[Kind]:
    """The kinds of ``nodes``, the largest first."""
    alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for node in nodes:
        alike.setdefault(tuple(sorted(node.is_one.items())), []).append(node.name)
    ordered = sorted(alike.items(), key=lambda kind: (-len(kind[1]), kind[1]))
    main = set(ordered[0][0])
    return [
        Kind(_letter(at), tuple(names), facts if at == 0 else tuple(sorted(set(facts) - main)))
        for at, (facts, names) in enumerate(ordered)
    ]


def _letter(place: int) -> str:
    """A to Z, then AA and so on."""
    before, last = divmod(place, 26)
    return (_letter(before - 1) if before else "") + chr(ord("A") + last)
