"""Where the time of a scheduler's decision goes: its plugins' costs, stacked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.axes import Axes

from cnbench.analysis.curves.scheduler_scoring import DECISION, KNOWN, PluginLine
from cnbench.core.units import FRACTION, format_quantity
from cnbench.report.plots.axes import linear_axis
from cnbench.report.svg import BAND, INK, MUTED, PAPER, KeyEntry, Panel, series

# It is 0 at once for the pod of the decision, which has topology spread constraints of its own;
# its own figure is measured with another pod. MostAllocated is no default.
_NO_PART = ("SelectorSpread", "MostAllocated")
_FILTERS = "filters"
_REST = "rest"
_BAR = 30.0
# A narrower part has no room for its name.
_LEAST_WITH_NAME = 0.1


@dataclass(frozen=True)
class Bar:
    """One decision.

    Attributes:
        label: the cluster's size, and the cost of the whole.
        parts: the share of each part, in the order drawn; together 1.
    """

    label: str
    parts: Mapping[str, float]


def parts_panel(
    title: str, lines: Sequence[PluginLine], colours: Mapping[str, int]
) -> Panel | None:
    """A bar for each size, the plugins in their ``colours`` (numbers of series).

    Returns:
        None where the decision or its plugins were not measured.
    """
    bars = bars_of(lines)
    if not bars:
        return None
    scores = [name for name in bars[0].parts if name not in (_FILTERS, _REST)]
    return Panel(
        title=f"Where a decision's time goes ({title})",
        caption="Each part: the median of a plugin measured alone, over that of the whole"
        " decision, for a pod like one seen before. Rest: what the decision costs beyond that:"
        " adding up, choosing, and that plugins put each other's code and arrays out of the CPU's"
        " caches, where one that is measured alone finds its own. SelectorSpread has no part: it"
        " leaves pods with spread constraints to PodTopologySpread.",
        draw=partial(_draw, bars, {name: colours[name] for name in scores}),
        height=60 + _BAR * len(bars),
        key=tuple(KeyEntry(name, colours[name], "■") for name in scores),
    )


def bars_of(lines: Sequence[PluginLine]) -> list[Bar]:
    """The bars of one setting, the smallest cluster first."""
    known = [line for line in lines if line.shape == KNOWN]
    costs: dict[float, dict[tuple[str, str], float]] = {}
    texts: dict[float, str] = {}
    for line in known:
        for nodes, row in line.points:
            if row.interval:
                key = line.extension_point, line.plugin
                costs.setdefault(nodes, {})[key] = row.interval.estimate
                if line.plugin == DECISION:
                    cost = row.metric.show(row.interval.estimate, row.clock)
                    texts[nodes] = f"{nodes:,.0f} nodes\n{cost}".replace(",", "\u202f")
    wanted = {(line.extension_point, line.plugin) for line in known}
    return [
        Bar(texts[nodes], _shares(costs[nodes]))
        for nodes in sorted(texts)
        if costs[nodes].keys() == wanted and len(wanted) > 1
    ]


def _shares(costs: Mapping[tuple[str, str], float]) -> dict[str, float]:
    parts: dict[str, float] = {_FILTERS: 0.0}
    whole = 0.0
    for (point, plugin), cost in costs.items():
        if plugin == DECISION:
            whole = cost
        elif point == "filter":
            parts[_FILTERS] += cost
        elif plugin not in _NO_PART:
            parts[plugin] = cost
    parts[_REST] = max(0.0, whole - sum(parts.values()))
    total = sum(parts.values())
    return {name: part / total for name, part in parts.items()}


def _draw(bars: Sequence[Bar], scores: Mapping[str, int], ax: Axes) -> None:
    colours = {_FILTERS: MUTED, _REST: BAND}
    colours |= {name: series(number) for name, number in scores.items()}
    places = list(range(len(bars)))[::-1]
    ends = [0.0] * len(bars)
    for name, colour in colours.items():
        if name == _REST:
            continue
        ends = _stack(ax, bars, places, ends, name, colour)
    _stack(ax, bars, places, ends, _REST, BAND)
    ax.set_yticks(places, [bar.label for bar in bars], fontsize=9)
    linear_axis(ax.xaxis, [0.0, 1.0], lambda share: format_quantity(share, FRACTION), FRACTION, 0)
    ax.grid(visible=False)


def _stack(
    ax: Axes,
    bars: Sequence[Bar],
    places: Sequence[int],
    begins: Sequence[float],
    name: str,
    colour: str,
) -> list[float]:
    """Draw one part of all bars; gives where the next begins."""
    widths = [bar.parts.get(name, 0.0) for bar in bars]
    ax.barh(places, widths, 0.7, begins, color=colour, edgecolor=PAPER, linewidth=0.8)
    if name in (_FILTERS, _REST):
        for place, begin, width in zip(places, begins, widths, strict=True):
            if width >= _LEAST_WITH_NAME:
                ink = INK if name == _REST else PAPER
                ax.text(begin + width / 2, place, name, fontsize=9, color=ink, ha="center",
                        va="center")  # fmt: skip
    return [begin + width for begin, width in zip(begins, widths, strict=True)]
