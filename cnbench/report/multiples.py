"""Small multiples of a long summary: a card a setting, in which its variants are side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnbench.report.lines import Line

# A shorter table is seen at a glance.
_LONG = 24


@dataclass(frozen=True)
class Card:
    """What differs only in the variant: a name and the line of each, beneath what they share."""

    title: str
    lines: tuple[tuple[str, Line], ...]


def cards_of(lines: Sequence[Line], parameters: Sequence[str], variant: str) -> tuple[Card, ...]:
    """The cards of a table with ``parameters``; none where it is short, or has nothing to share."""
    if len(lines) <= _LONG or variant not in parameters:
        return ()
    place = parameters.index(variant)
    alike: dict[str, list[tuple[str, Line]]] = {}
    for line in lines:
        shared = [
            f"{name} {value}"
            for name, value in zip(parameters, line.params, strict=True)
            if name != variant
        ]
        title = ", ".join([*([line.origin] if line.origin else []), *shared])
        alike.setdefault(title, []).append((line.params[place], line))
    if len(alike) in (1, len(lines)):
        return ()
    return tuple(Card(title, tuple(ones)) for title, ones in alike.items())
