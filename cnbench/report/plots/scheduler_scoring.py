"""scheduler-scoring: cost against nodes, plugin by plugin, and where a decision's time goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from matplotlib.axes import Axes

from cnbench.analysis.chapters import Chapter, ChapterEntry, Origin
from cnbench.analysis.curves.scheduler_scoring import (
    DECISION,
    KNOWN,
    METRIC,
    PluginLine,
    growth_of,
    lines_of,
)
from cnbench.report.plots import generic
from cnbench.report.plots.axes import count_axis, end_labels, ends_of, log_axis, show_on
from cnbench.report.plots.drawing import Mark, draw_marks
from cnbench.report.plots.figures import Figures
from cnbench.report.plots.scheduler_parts import parts_panel
from cnbench.report.svg import INK, Panel, series

_NO_TRACE = "none"
_POINTS = {"filter": "Filters", "score": "Scores"}
_SCORED = {"all": "all nodes scored", "adaptive": "adaptive share of nodes scored"}
_STYLES = {KNOWN: ("-", "o")}
_OTHER_STYLE = ("--", "s")
_HEIGHT = 300.0
# What a label beside the lines needs of the height, in points.
_LABEL = 16.0


def panels(chapter: Chapter) -> list[Panel]:
    """For each origin and setting filters, scores and the parts of a decision; then traces."""
    made_up = replace(chapter, measured=tuple(_made_up(chapter)))
    traced = replace(chapter, measured=tuple(o for o in chapter.ok if o not in made_up.measured))
    # One colour a plugin, in all figures.
    colours = {
        str(plugin): number
        for number, plugin in enumerate(p for p in chapter.values("plugin") if p != DECISION)
    }
    return [
        panel
        for title, measured in _settings(chapter, made_up)
        for panel in _of_setting(title, measured, colours)
    ] + (generic.panels(traced) if traced.measured else [])


def _made_up(chapter: Chapter) -> Iterator[ChapterEntry]:
    for entry in chapter.ok:
        nodes = entry.case.params["nodes"]
        if entry.case.params["trace"] == _NO_TRACE and not isinstance(nodes, str) and nodes > 0:
            yield entry


def _settings(whole: Chapter, made_up: Chapter) -> list[tuple[str, list[ChapterEntry]]]:
    """What can be drawn together: one origin, and as many pods a node and nodes scored."""
    found: dict[tuple[Origin, object, object], list[ChapterEntry]] = {}
    for entry in made_up.measured:
        params = entry.case.params
        found.setdefault((entry.origin, params["pods"], params["scored"]), []).append(entry)
    return [
        (
            ", ".join(
                filter(
                    None,
                    (
                        whole.origin_label(origin),
                        f"{whole.show('pods', ones[0].case.params['pods'])} pods a node",
                        _SCORED.get(str(scored), f"{scored} nodes scored"),
                    ),
                )
            ),
            ones,
        )
        for (origin, _, scored), ones in found.items()
    ]


def _of_setting(
    title: str, measured: Sequence[ChapterEntry], colours: Mapping[str, int]
) -> list[Panel]:
    lines = lines_of(measured)
    decisions = [line for line in lines if line.plugin == DECISION]
    made = []
    for point, name in _POINTS.items():
        ones = [line for line in lines if line.extension_point == point]
        if ones or (decisions and point == "score"):
            of_point = [*decisions, *ones]
            made.append(_growth(f"{name} against nodes ({title})", of_point, lines, colours))
    parts = parts_panel(title, lines, colours)
    return made if parts is None else [*made, parts]


def _growth(
    title: str,
    lines: Sequence[PluginLine],
    all_lines: Sequence[PluginLine],
    colours: Mapping[str, int],
) -> Panel:
    rows = [row for line in lines for _, row in line.points]
    text = generic.caption(rows, band=False)
    return Panel(
        title=title,
        caption=f"{text} Both axes logarithmic. Dashed: a pod whose rules were never seen; the"
        f" others find looked up what depends on nodes and rules alone. {growth_of(lines)}",
        draw=partial(_draw, lines, all_lines, colours),
        height=max(_HEIGHT, _LABEL * len(lines) / 0.8),
    )


def _draw(
    lines: Sequence[PluginLine],
    all_lines: Sequence[PluginLine],
    colours: Mapping[str, int],
    ax: Axes,
) -> None:
    first = lines[0].points[0][1]
    sizes = sorted({nodes for line in lines for nodes, _ in line.points})
    extent = ends_of(row for line in all_lines for _, row in line.points)
    count_axis(ax.xaxis, sizes, "nodes")
    log_axis(ax.yaxis, extent, show_on(first.metric, first.clock), first.unit)
    labels = []
    for line in lines:
        colour = INK if line.plugin == DECISION else series(colours[line.plugin])
        style, marker = _STYLES.get(line.shape, _OTHER_STYLE)
        shown = [(nodes, row.interval) for nodes, row in line.points if row.interval]
        ax.plot(
            [nodes for nodes, _ in shown],
            [interval.estimate for _, interval in shown],
            color=colour,
            linestyle=style,
        )
        draw_marks(ax, [Mark(nodes, interval, colour, marker) for nodes, interval in shown])
        labels.append((line.name, shown[-1][1].estimate, colour))
    end_labels(ax, labels, max(_HEIGHT, _LABEL * len(lines) / 0.8))


FIGURES = Figures(
    experiment="scheduler-scoring",
    metrics=frozenset({METRIC}),
    numbers=frozenset(),
    words=frozenset({"trace", "plugin", "extension_point", "nodes", "pods", "scored", "shape"}),
    panels=panels,
)
