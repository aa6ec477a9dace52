"""The page of a fleet: who is odd, a line a node, and how each figure is distributed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnbench.analysis.fleet import words
from cnbench.analysis.fleet.across import Across
from cnbench.analysis.fleet.fleet import Fleet
from cnbench.core.units import FRACTION, format_count, format_quantity
from cnbench.report.filled import filled
from cnbench.store import whole_file

# The drawing's own units across; the page stretches it.
_WIDTH = 1000


@dataclass(frozen=True)
class NodeLine:
    """One node in a line."""

    name: str
    kind: str
    runs: int
    cases: str
    worse: str
    odd: str
    is_worse: bool


@dataclass(frozen=True)
class FigureLine:
    """One figure over the nodes, with a tick a node from the least to the most."""

    label: str
    metric: str
    typical: str
    interval: str
    between: str
    inside: str
    least: str
    most: str
    others: str
    odd: str


def write(fleet: Fleet, path: Path) -> None:
    """Write the page on ``fleet`` to ``path`` in one step; its folder is made if need be.

    Raises:
        UsageError: it could not be written; what was in ``path`` before is still there.
    """
    page = render(fleet).encode("utf-8", errors="replace")
    whole_file.write(path, page, "the report of the fleet")


def render(fleet: Fleet) -> str:
    """The page on ``fleet``; equal runs give equal pages, byte for byte."""
    labels = words.labels_of(fleet)
    return filled(
        "fleet.html.j2",
        summary=words.summary(fleet),
        caution=words.caution(fleet),
        rate=format_quantity(fleet.rate, FRACTION),
        odd=[
            (
                node.name,
                node.is_worse,
                words.share_text(node.worse),
                words.where_text(node, _labels(fleet, node.rows, labels)),
                words.facts_text(node.unusual),
            )
            for node in fleet.odd
        ],
        nodes=_node_lines(fleet),
        figures=[_figure_line(row, labels[place]) for place, row in enumerate(fleet.rows)],
        kinds=[
            (kind.letter, len(kind.nodes), words.facts_text(kind.apart)) for kind in fleet.kinds
        ],
    )


def _labels(fleet: Fleet, rows: tuple[Across, ...], labels: dict[int, str]) -> list[str]:
    places = {id(row): place for place, row in enumerate(fleet.rows)}
    return [labels[places[id(row)]] for row in rows]


def _node_lines(fleet: Fleet) -> list[NodeLine]:
    odd = {node.name: node for node in fleet.odd}
    lines = []
    for node in fleet.nodes:
        results = [result for run in node.runs for result in run.cases]
        ok = sum(result.status == "ok" for result in results)
        is_odd = odd.get(node.name)
        told = format_count(len(is_odd.rows), "figure") if is_odd and is_odd.rows else "over all"
        lines.append(
            NodeLine(
                node.name,
                fleet.kind_of(node.name),
                len(node.runs),
                f"{ok} of {len(results)}",
                words.share_text(fleet.worse.get(node.name)),
                told if is_odd else "",
                bool(is_odd and is_odd.is_worse),
            )
        )
    return sorted(lines, key=lambda line: -fleet.worse.get(line.name, 0.0))


def _figure_line(row: Across, label: str) -> FigureLine:
    centres = np.array([interval.estimate for interval in row.known])
    least, most = float(centres.min()), float(centres.max())
    places = (centres - least) / ((most - least) or 1.0) * _WIDTH
    return FigureLine(
        label,
        row.metric.name,
        words.value_text(row, row.between.typical.estimate),
        words.interval_text(row),
        words.deviation_text(row, row.between.nodes),
        words.deviation_text(row, row.between.inside),
        words.value_text(row, least),
        words.value_text(row, most),
        *(_ticks(places[chosen]) for chosen in (~row.odd, row.odd)),
    )


def _ticks(places: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    """The path of an upright tick at each of ``places``."""
    return "".join(f"M{place:.0f} 0v20" for place in places)
