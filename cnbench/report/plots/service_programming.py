"""What programming Services costs against how many there are: a line a mode."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes

from cnbench.analysis.chapters import Chapter, shorten
from cnbench.analysis.curves.service_growth import sentences_of_crossings, sentences_of_growth
from cnbench.analysis.curves.service_routing import ServiceLine, lines_of, settings_of
from cnbench.core.metric import ClockName
from cnbench.report.plots import generic
from cnbench.report.plots.axes import count_axis, end_labels, ends_of, log_axis, show_on
from cnbench.report.plots.drawing import Mark, draw_marks
from cnbench.report.svg import Panel, series

# In the order of the questions: all at once, one by one, and what changes.
METRICS = (
    "sync",
    "tool",
    "overhead",
    "arrival",
    "update",
    "endpoint_change",
    "no_change",
    "delete",
    "append",
    "append_last",
    "kernel_memory",
)
_HEIGHT = 260.0


def panels(chapter: Chapter) -> list[Panel]:
    """One panel a metric and place with lines where it has several sizes, and dots where not."""
    found = []
    for name in METRICS:
        of_metric = chapter.having(name)
        lines_by_setting = [
            (title, lines)
            for title, measured in settings_of(of_metric)
            if (lines := [line for line in lines_of(measured, name) if _is_line(line)])
        ]
        if lines_by_setting:
            found += [_panel(chapter, title, lines) for title, lines in lines_by_setting]
        elif of_metric.ok:
            others = {metric.name for metric, _ in of_metric.metrics()} - {name}
            found += generic.panels(of_metric, but=others)
    return found


def _is_line(line: ServiceLine) -> bool:
    """Whether it has several sizes, and values that a logarithmic axis can show."""
    intervals = [row.interval for _, _, row in line.points]
    return len(intervals) > 1 and all(
        interval is not None and interval.low > 0 for interval in intervals
    )


def _panel(chapter: Chapter, title: str, lines: Sequence[ServiceLine]) -> Panel:
    rows = [row for line in lines for _, _, row in line.points]
    metric = rows[0].metric
    text = generic.caption(rows, band=False)
    # A quotient is no cost: that it grows, or is alike in two modes, says nothing.
    is_cost = bool(metric.unit)
    sentences = [*sentences_of_growth(lines), *sentences_of_crossings(lines)] if is_cost else []
    return Panel(
        title=f"{metric.name}: {metric.summary}{f' ({title})' if title else ''}",
        caption=f"{text} Both axes logarithmic. {' '.join(sentences)}",
        draw=partial(_draw, [str(mode) for mode in chapter.values("mode")], lines),
        height=_HEIGHT,
    )


def _draw(modes: Sequence[str], lines: Sequence[ServiceLine], ax: Axes) -> None:
    rows = [row for line in lines for _, _, row in line.points]
    clock: ClockName = rows[0].clock
    sizes = sorted({size for line in lines for size, _, _ in line.points})
    count_axis(ax.xaxis, sizes, "services")
    log_axis(ax.yaxis, ends_of(rows), show_on(rows[0].metric, clock), rows[0].unit)
    labels = []
    for line in lines:
        colour = series(modes.index(line.mode))
        marks = [
            Mark(size, row.interval, colour, "o") for size, _, row in line.points if row.interval
        ]
        ax.plot(
            [mark.at for mark in marks], [mark.interval.estimate for mark in marks], color=colour
        )
        draw_marks(ax, marks)
        labels.append((shorten(line.mode, 24), marks[-1].interval.estimate, colour))
    end_labels(ax, labels, _HEIGHT)
