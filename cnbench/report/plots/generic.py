"""The figures of any experiment that has none of its own: a dot and an interval for each case."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from matplotlib.axes import Axes

from cnbench.analysis.chapters import Chapter, ChapterEntry, shorten
from cnbench.analysis.rows import Row
from cnbench.core.metric import ClockName, Metric
from cnbench.report.plots.axes import (
    ends_of,
    is_wide,
    linear_axis,
    log_axis,
    noise_ends,
    show_on,
    zero_line,
)
from cnbench.report.plots.drawing import Band, Mark, draw_bands, draw_marks
from cnbench.report.svg import KeyEntry, Panel, series

# More labels than these nobody reads; the table has them all.
_MOST_LABELS = 48
_LINE = 17
_TIGHT_LINE = 3
_TALLEST = 1500


def panels(chapter: Chapter, but: Collection[str] = ()) -> list[Panel]:
    """One panel a metric and clock, ``but`` for the metrics of those names."""
    return [
        panel
        for metric, clock in chapter.metrics()
        if metric.name not in but
        and (panel := _panel(chapter.having(metric.name), metric, clock)) is not None
    ]


def caption(rows: Sequence[Row], *, band: bool = True, around: str = "") -> str:
    """What every plot of medians says about itself.

    Args:
        rows: what it shows.
        band: whether it shows noise floors, too.
        around: what those are drawn around, where that is not the median.
    """
    blocks = sorted({row.blocks for row in rows})
    many = f"{blocks[0]}" if len(blocks) == 1 else f"{blocks[0]} to {blocks[-1]}"
    text = f"Dots: median of {many} blocks; lines: 95 % interval"
    if any(row.interval and not row.interval.bounded for row in rows):
        text += " (dotted: too few blocks to bound it)"
    if band and any(noise_ends(row) for row in rows):
        text += f"; grey band: noise floor measured by A/A′{f', around {around}' if around else ''}"
    return text + "."


def place_key(chapter: Chapter, measured: Sequence[ChapterEntry]) -> tuple[KeyEntry, ...]:
    """A sign for each place, where there is more than one."""
    places = [p for p in chapter.origins if p in {entry.origin for entry in measured}]
    if len(places) < 2:
        return ()
    return tuple(
        KeyEntry(chapter.origin_label(place), chapter.origins.index(place)) for place in places
    )


def _panel(chapter: Chapter, metric: Metric, clock: ClockName) -> Panel | None:
    shown = [
        (entry, row)
        for entry in chapter.ok
        if entry.origin.clock == clock and (row := entry.row(metric.name)) is not None
    ]
    if not shown:
        return None
    points = list(dict.fromkeys(entry.case.point for entry, _ in shown))
    labelled = len(points) <= _MOST_LABELS
    text = caption([row for _, row in shown])
    if not labelled:
        text += f" {len(points)} cases, in the order of the table."
    wide = metric.scale == "ratio" and is_wide(ends_of(row for _, row in shown))
    return Panel(
        title=f"{metric.name}: {metric.summary}",
        caption=text + (" Logarithmic axis." if wide else ""),
        draw=partial(_draw, chapter, shown, points, labelled, wide),
        height=min(_TALLEST, 46 + len(points) * (_LINE if labelled else _TIGHT_LINE)),
        key=place_key(chapter, [entry for entry, _ in shown]),
    )


def _draw(
    chapter: Chapter,
    shown: Sequence[tuple[ChapterEntry, Row]],
    points: Sequence[str],
    labelled: bool,
    wide: bool,
    ax: Axes,
) -> None:
    places = list(dict.fromkeys(entry.origin for entry, _ in shown))
    lines = {point: len(points) - 1 - line for line, point in enumerate(points)}
    marks, bands = [], []
    for entry, row in shown:
        offset = (places.index(entry.origin) - (len(places) - 1) / 2) * 0.6 / len(places)
        line = lines[entry.case.point] - offset
        if row.interval:
            colour = series(chapter.origins.index(entry.origin))
            marks.append(Mark(line, row.interval, colour))
        if ends := noise_ends(row):
            bands.append(Band(line, 0.62 / len(places), *ends))
    draw_bands(ax, bands, upright=False)
    draw_marks(ax, marks, upright=False)
    metric, clock = shown[0][1].metric, shown[0][0].origin.clock
    values = ends_of(row for _, row in shown)
    if wide:
        log_axis(ax.xaxis, values, show_on(metric, clock), metric.unit_on(clock), pad=0.04)
    else:
        if metric.better == "zero":
            zero_line(ax, vertical=True)
            values = [*values, 0.0]
        linear_axis(ax.xaxis, values, show_on(metric, clock), metric.unit_on(clock))
    labels = {entry.case.point: shorten(chapter.label(entry.case)) for entry, _ in shown}
    ax.set_yticks(
        [lines[point] for point in points] if labelled else [],
        [labels[point] for point in points] if labelled else [],
        fontsize=9,
    )
    ax.set_ylim(-0.7, len(points) - 0.3)
    ax.grid(visible=True, axis="x")
    ax.grid(visible=False, axis="y")
