"""The lines of scheduler-scoring: a plugin's cost over the nodes of a cluster, and how it grows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnbench.analysis.chapters import ChapterEntry, shorten
from cnbench.analysis.number_format import minus
from cnbench.analysis.rows import Row
from cnbench.core.errors import CnbenchError
from cnbench.core.units import FRACTION, format_quantity
from cnbench.stats.scaling import PowerLaw, power_law

METRIC = "cost"
DECISION = "all"
KNOWN = "known"
_FEWEST_TO_FIT = 3
# Beyond this distance from the law an exponent is a description, not a law.
_GOOD_FIT = 0.1


@dataclass(frozen=True)
class PluginLine:
    """One plugin at one extension point for one shape of pod; points in rising order of nodes."""

    plugin: str
    extension_point: str
    shape: str
    points: tuple[tuple[float, Row], ...]

    @property
    def name(self) -> str:
        """As it is called beside the line."""
        plugin = "whole decision" if self.plugin == DECISION else self.plugin
        return shorten(plugin if self.shape == KNOWN else f"{plugin} · {self.shape}", 30)

    @property
    def law(self) -> PowerLaw | None:
        """The power law through its points; None for fewer sizes than can show one."""
        sizes = [nodes for nodes, _ in self.points]
        if len(set(sizes)) < _FEWEST_TO_FIT:
            return None
        try:
            law = power_law(sizes, [row.values for _, row in self.points])
        except CnbenchError:
            return None
        return law if law.exponent.bounded else None


def lines_of(measured: Iterable[ChapterEntry]) -> list[PluginLine]:
    """The lines of one setting, in the order of its cases."""
    points: dict[tuple[str, str, str], list[tuple[float, Row]]] = {}
    for entry in measured:
        row = entry.row(METRIC)
        if row is not None:
            params = entry.case.params
            key = str(params["plugin"]), str(params["extension_point"]), str(params["shape"])
            points.setdefault(key, []).append((float(params["nodes"]), row))
    return [
        PluginLine(*key, tuple(sorted(ones, key=lambda point: point[0])))
        for key, ones in points.items()
    ]


def growth_of(lines: Sequence[PluginLine]) -> str:
    """The exponents of all lines that have one, in a sentence; or nothing."""
    laws = [(line, law) for line in lines if (law := line.law) is not None]
    if not laws:
        return ""
    text = "; ".join(
        f"{line.name} {law.exponent.estimate:.2f} ({law.exponent.low:.2f} to"
        f" {law.exponent.high:.2f}{_misfit(law)})"
        for line, law in laws
    )
    return f"Cost grows with the nodes to the power of (95 % interval): {minus(text)}."


def _misfit(law: PowerLaw) -> str:
    if law.misfit <= _GOOD_FIT:
        return ""
    return f"; no power law: a median lies {format_quantity(law.misfit, FRACTION)} off"
