"""Cost by kernel release: one line a case, all on one scale of change, with the steps marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes

from cnbench.analysis.chapters import Chapter, shorten
from cnbench.analysis.kernel_series import (
    KernelHistory,
    Series,
    histories_of,
    short_releases,
)
from cnbench.analysis.number_format import median_text, minus
from cnbench.analysis.rows import Row
from cnbench.core.units import FRACTION, format_quantity
from cnbench.report.plots.generic import caption
from cnbench.report.svg import INK, MUTED, KeyEntry, Panel, series
from cnbench.stats.changepoint import Step

# Points from one line to the next, and around them all.
_PITCH = 34
_AROUND = 60
_MOST_LINES = 40
# The largest change reaches this far towards the next line, which leaves room for its figure.
_REACH = 0.42
# Changes are drawn on a scale of at least this share, so that noise does not look like a change.
_SMALLEST_SCALE = 0.01
_LONGEST_LABEL = 34


def panels(chapter: Chapter) -> list[Panel]:
    """A panel for each run, metric and clock that has cases on more than one kernel."""
    return [_panel(chapter, history) for history in histories_of(chapter)]


def _panel(chapter: Chapter, history: KernelHistory) -> Panel:
    shown = sorted(history.series, key=_change, reverse=True)[:_MOST_LINES]
    drawn = [line for line in history.series if line in shown]
    rows = [row for line in drawn for row in line.rows]
    scale = _scale_of(drawn)
    text = (
        f"Each line: change since the first kernel, one row's height being {_height(rows, scale)}; "
        f"right: the last median. With its size: a step. {_without_band(rows)}"
    )
    if len(drawn) < len(history.series):
        text += f" The {len(drawn)} of {len(history.series)} cases that changed most."
    if any(line.steps is None for line in drawn):
        text += " Steps cannot be told where an interval or the noise between boots is unknown."
    return Panel(
        title=f"{history.metric.name} by kernel release"
        + (f", run {history.run}" if history.run else ""),
        caption=text,
        draw=partial(_draw, chapter, history, drawn, scale),
        height=_AROUND + _PITCH * len(drawn),
        key=(KeyEntry("worse", 1, "━"), KeyEntry("better", 2, "━")),
    )


def _draw(
    chapter: Chapter, history: KernelHistory, drawn: Sequence[Series], scale: float, ax: Axes
) -> None:
    places = {kernel: index for index, kernel in enumerate(history.kernels)}
    for line, cost in enumerate(reversed(drawn)):
        _draw_line(cost, [places[kernel] for kernel in cost.kernels], line, scale, ax)
        ax.text(
            1.02,
            line,
            median_text(cost.rows[-1]),
            transform=ax.get_yaxis_transform(),
            fontsize=9,
            va="center",
            color=INK,
        )
    labels = [shorten(_label(chapter, cost), _LONGEST_LABEL) for cost in reversed(drawn)]
    ax.set_yticks(range(len(drawn)), labels, fontsize=9)
    ax.set_xticks(range(len(places)), short_releases(history.kernels), fontsize=9)
    ax.set_xlim(-0.25, len(places) - 0.75)
    ax.set_ylim(-0.7, len(drawn) - 0.3)


def _draw_line(cost: Series, xs: Sequence[int], line: int, scale: float, ax: Axes) -> None:
    first = cost.rows[0]

    def at(value: float) -> float:
        return line + _REACH * _distance(first, value) / scale

    medians = [at(row.interval.estimate) for row in cost.rows if row.interval]
    ax.plot(xs, medians, color=MUTED, linewidth=1)
    ax.plot(xs, medians, "o", markersize=4, color=series(0), zorder=3)
    for x, row in zip(xs, cost.rows, strict=True):
        if row.interval and row.interval.bounded:
            ax.vlines(x, at(row.interval.low), at(row.interval.high), colors=series(0), zorder=2)
    for step in cost.steps or ():
        ends, y = xs[step.index - 1 : step.index + 1], medians[step.index - 1 : step.index + 1]
        ax.plot(ends, y, color=_colour(first, step), linewidth=2.6)
        ax.text(
            sum(ends) / 2,
            max(y) + 0.06,
            _size(first, step),
            fontsize=8,
            ha="center",
            va="bottom",
            color=INK,
        )


def _colour(first: Row, step: Step) -> str:
    """One for what has become worse, another for what has become better."""
    better, before, after = first.metric.better, step.before, step.after
    if better == "zero":
        before, after = abs(before), abs(after)
    return series(1 if (after > before) == (better != "higher") else 2)


def _label(chapter: Chapter, cost: Series) -> str:
    """The case's name; what is the same in all of the chapter's cases of this metric is no news."""
    return chapter.having(cost.rows[0].metric.name).label(cost.measured[0].case)


def _size(first: Row, step: Step) -> str:
    if first.metric.scale == "ratio":
        return minus(format_quantity(step.effect.estimate - 1, FRACTION, signed=True))
    return minus(format_quantity(step.effect.estimate, first.unit, signed=True))


def _distance(first: Row, value: float) -> float:
    """How far ``value`` is from the first kernel's median: in logarithms for a ratio metric."""
    middle = first.interval.estimate if first.interval else math.nan
    if first.metric.scale == "ratio":
        return math.log(value / middle) if value > 0 else -math.inf
    return value - middle


def _scale_of(drawn: Sequence[Series]) -> float:
    """The distance that is drawn as the whole reach of a line."""
    rows = [row for line in drawn for row in line.rows]
    ratio = rows[0].metric.scale == "ratio"
    largest = max(abs(row.interval.estimate) for row in rows if row.interval)
    smallest = math.log1p(_SMALLEST_SCALE) if ratio else _SMALLEST_SCALE * largest
    return max([smallest or 1.0, *(_change(line) for line in drawn)])


def _change(cost: Series) -> float:
    """The largest distance from the first kernel's median, without the intervals."""
    return max(abs(_distance(cost.rows[0], r.interval.estimate)) for r in cost.rows if r.interval)


def _height(rows: Sequence[Row], scale: float) -> str:
    """What the distance between two lines stands for."""
    whole = scale / _REACH
    if rows[0].metric.scale == "ratio":
        return format_quantity(math.expm1(whole), FRACTION)
    return format_quantity(whole, rows[0].unit)


def _without_band(rows: Sequence[Row]) -> str:
    """The usual caption, but for the noise band, which is not drawn here."""
    return caption(rows).partition("; grey band")[0].rstrip(".") + "."
