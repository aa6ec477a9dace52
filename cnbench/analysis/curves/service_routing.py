"""The lines of service-routing: one mode and position over the services, and how it grows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnbench.analysis.chapters import Chapter, ChapterEntry, Origin, shorten
from cnbench.analysis.rows import Row

METRIC = "connect"
_NEEDED = {"mode", "services", "position"}
THROUGH_RULES = ("first", "middle", "last", "random")
# The controls: an endpoint itself, over a node with all rules and over one without any.
DIRECT, BARE = "none", "bare"


@dataclass(frozen=True)
class ServiceLine:
    """One mode and position over the numbers of services; the points are in rising order."""

    mode: str
    position: str
    points: tuple[tuple[float, ChapterEntry, Row], ...]


def lines_of(measured: Sequence[ChapterEntry], metric: str = METRIC) -> list[ServiceLine]:
    """The lines of one setting; one that would hold a single service alone is left out."""
    points: dict[tuple[str, str], list[tuple[float, ChapterEntry, Row]]] = {}
    for entry in measured:
        row, params = entry.row(metric), entry.case.params
        # A run file of another version may lack some.
        if row is None or not params.keys() >= _NEEDED:
            continue
        services, position = float(params["services"]), str(params["position"])
        # With one service, the first is the last as well: all lines through the rules begin there.
        positions = THROUGH_RULES if services == 1 and position == "first" else (position,)
        for each in positions:
            points.setdefault((str(params["mode"]), each), []).append((services, entry, row))
    return [
        ServiceLine(mode, position, tuple(sorted(ones, key=lambda point: point[0])))
        for (mode, position), ones in points.items()
        if any(entry.case.params["position"] == position for _, entry, _ in ones)
    ]


def settings_of(chapter: Chapter) -> list[tuple[str, list[ChapterEntry]]]:
    """What can be drawn as lines together, and its title.

    It was measured in one origin, with one value of every parameter but those of a line.
    """
    others = [n for n in chapter.record.parameters if n not in ("mode", "services", "position")]
    found: dict[tuple[Origin, tuple[object, ...]], list[ChapterEntry]] = {}
    for entry in chapter.ok:
        setting = tuple(entry.case.params.get(name) for name in others)
        found.setdefault((entry.origin, setting), []).append(entry)
    return [(_title(chapter, measured[0], others), measured) for measured in found.values()]


def _title(chapter: Chapter, entry: ChapterEntry, others: Iterable[str]) -> str:
    parts = [chapter.origin_label(entry.origin)] + [
        f"{name} {chapter.show(name, entry.case.params.get(name))}"
        for name in others
        if name in chapter.varying
    ]
    return shorten(", ".join(part for part in parts if part), 80)
