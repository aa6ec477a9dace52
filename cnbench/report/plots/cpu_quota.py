"""cpu-quota: how far from the quota, how often throttled, and for how long off the CPU.

First the surface of the error; then each metric over the quotas; then what was varied beside: load,
nested groups, burst.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from matplotlib.axes import Axes

from cnbench.analysis.chapters import Chapter, ChapterEntry, Origin, shorten
from cnbench.analysis.rows import Row
from cnbench.core.metric import ClockName, Metric
from cnbench.core.parameter import Value
from cnbench.report.plots import generic
from cnbench.report.plots.axes import (
    ends_of,
    is_wide,
    linear_axis,
    log_axis,
    name_axis,
    show_on,
    zero_line,
)
from cnbench.report.plots.cpu_surface import (
    COMMON,
    is_common,
    on_the_surface,
    surface_panels,
    threads_text,
)
from cnbench.report.plots.drawing import Band, Mark, draw_bands, draw_marks
from cnbench.report.plots.figures import Figures
from cnbench.report.svg import MUTED, KeyEntry, Panel, series

_MARKERS = {"v1": ("o", "●"), "v2": ("s", "■")}
_OTHER_MARKER = ("D", "◆")
_TITLES = {
    "error": "CPU time used, against the quota",
    "throttled": "Share of the periods with throttling",
    "stall": "Longest time off the CPU",
    "overshoot": "The worst period's CPU time, against its quota",
}
# The part of a quota's slot that its points share.
_SLOT = 0.72
_MOST_TICKS = 9


def panels(chapter: Chapter) -> list[Panel]:
    """The surface of the error, all metrics of all quotas on equal axes, and what was varied."""
    return [
        *surface_panels(chapter),
        *(
            _panel(part, origin, metric, threads)
            for threads, part in _by_threads(chapter)
            for metric in sorted(part.record.metrics, key=lambda m: _order(m.name))
            for origin in part.origins
            if _shown(part, metric, origin.clock)
        ),
        *generic.panels(_varied(chapter)),
    ]


def _by_threads(chapter: Chapter) -> Iterable[tuple[str, Chapter]]:
    """What is on the surface: whole, or where a quota has several, by the number of threads."""
    common = on_the_surface(chapter)
    whole = replace(chapter, measured=tuple(common))
    at_one_origin: dict[tuple[object, ...], set[Value]] = {}
    for entry in common:
        params = entry.case.params
        origin = entry.origin, params["controller"], params["quota"], params["period"]
        at_one_origin.setdefault(origin, set()).add(params["threads"])
    if all(len(threads) == 1 for threads in at_one_origin.values()):
        return [("", whole)] if common else []
    return [
        (
            threads_text(float(threads)),
            replace(
                whole, measured=tuple(o for o in common if o.case.params["threads"] == threads)
            ),
        )
        for threads in whole.values("threads")
    ]


def _varied(chapter: Chapter) -> Chapter:
    """What is not on the surface, beside the cases on it that all else is equal to."""
    apart = [entry for entry in chapter.ok if not is_common(entry)]
    settings = {_setting(entry) for entry in apart}
    beside = [entry for entry in chapter.ok if is_common(entry) and _setting(entry) in settings]
    return replace(chapter, measured=tuple(o for o in chapter.ok if o in apart or o in beside))


def _setting(entry: ChapterEntry) -> tuple[object, ...]:
    rest = tuple(v for name, v in entry.case.params.items() if name not in COMMON)
    return (entry.origin, *rest)


def _order(metric: str) -> int:
    order = ["error", "stall", "throttled", "overshoot"]
    return order.index(metric) if metric in order else len(order)


def _panel(chapter: Chapter, origin: Origin, metric: Metric, threads: str) -> Panel:
    comparable = _shown(chapter, metric, origin.clock)
    shown = [(entry, row) for entry, row in comparable if entry.origin == origin]
    rows = [row for _, row in shown]
    where = ", ".join(filter(None, (chapter.origin_label(origin), threads)))
    title = _TITLES.get(metric.name, metric.name) + (f" ({where})" if where else "")
    text = generic.caption(rows, band=metric.name == "error", around="no error")
    if _has_model(metric, origin.clock):
        text += (
            " Grey dashes: what is left of a period once the threads together have used the quota,"
            " a controller without delays."
        )
    return Panel(
        title=title,
        caption=text,
        draw=partial(_draw, chapter, shown, metric, _extent(comparable, metric)),
        key=_key(chapter, [entry for entry, _ in shown]),
    )


def _shown(chapter: Chapter, metric: Metric, clock: ClockName) -> list[tuple[ChapterEntry, Row]]:
    return [
        (entry, row)
        for entry in chapter.ok
        if entry.origin.clock == clock and (row := entry.row(metric.name)) is not None
    ]


def _extent(shown: Sequence[tuple[ChapterEntry, Row]], metric: Metric) -> list[float]:
    """Everything that is drawn of a metric anywhere, so that all its panels have equal axes."""
    values = ends_of(row for _, row in shown)
    if metric.name == "error":
        floors = [row.noise for _, row in shown if row.noise is not None]
        values += [end for floor in floors if math.isfinite(floor) for end in (-floor, floor)]
    for entry, row in shown:
        rest = _rest(entry)
        if _has_model(metric, row.clock) and rest > 0:
            values.append(rest)
    return values


def _has_model(metric: Metric, clock: ClockName) -> bool:
    return metric.name == "stall" and clock == "wall"


def _key(chapter: Chapter, measured: Sequence[ChapterEntry]) -> tuple[KeyEntry, ...]:
    periods = [
        KeyEntry(f"period {chapter.show('period', period)}", index)
        for index, period in enumerate(chapter.values("period"))
    ]
    controllers = list(dict.fromkeys(str(entry.case.params["controller"]) for entry in measured))
    if len(controllers) < 2:
        return tuple(periods)
    return (
        *periods,
        *(
            KeyEntry(f"cgroup {shorten(name)}", sign=_MARKERS.get(name, _OTHER_MARKER)[1])
            for name in controllers
        ),
    )


def _draw(
    chapter: Chapter,
    shown: Sequence[tuple[ChapterEntry, Row]],
    metric: Metric,
    extent: list[float],
    ax: Axes,
) -> None:
    quotas, periods = chapter.values("quota"), chapter.values("period")
    controllers = chapter.values("controller")
    sides = [(controller, period) for controller in controllers for period in periods]
    step = _SLOT / len(sides)
    marks, bands, ideal = [], [], []
    for entry, row in shown:
        params = entry.case.params
        side = sides.index((params["controller"], params["period"]))
        x = quotas.index(params["quota"]) + (side - (len(sides) - 1) / 2) * step
        marker = _MARKERS.get(str(params["controller"]), _OTHER_MARKER)[0]
        if row.interval:
            marks.append(Mark(x, row.interval, series(periods.index(params["period"])), marker))
        if metric.name == "error" and row.noise is not None and math.isfinite(row.noise):
            bands.append(Band(x, step, -row.noise, row.noise))
        if _has_model(metric, row.clock) and _rest(entry) > 0:
            ideal.append((x, _rest(entry)))
    draw_bands(ax, bands)
    draw_marks(ax, marks)
    ax.hlines(
        [rest for _, rest in ideal],
        [x - step / 2 for x, _ in ideal],
        [x + step / 2 for x, _ in ideal],
        colors=MUTED,
        linewidths=1,
    )
    _axes(ax, chapter, quotas, metric, shown[0][0].origin.clock, extent)


def _rest(entry: ChapterEntry) -> float:
    """The seconds that a controller without delays would keep the threads off the CPU.

    ``threads`` busy threads use ``quota`` x ``period`` of CPU time in quota x period / threads of
    time, and wait for the rest of the period.
    """
    params = entry.case.params
    return float(params["period"]) * (1 - float(params["quota"]) / float(params["threads"]))


def _axes(
    ax: Axes,
    chapter: Chapter,
    quotas: Sequence[Value],
    metric: Metric,
    clock: ClockName,
    values: list[float],
) -> None:
    every = math.ceil(len(quotas) / _MOST_TICKS)
    ticks = range(0, len(quotas), every)
    ax.set_xticks(ticks, [shorten(chapter.show("quota", quotas[tick]), 12) for tick in ticks])
    ax.set_xlim(-0.5, len(quotas) - 0.5)
    name_axis(ax.xaxis, "quota, of one CPU")
    if metric.scale == "ratio" and is_wide(values):
        log_axis(ax.yaxis, values, show_on(metric, clock), metric.unit_on(clock))
        return
    if metric.better == "zero":
        zero_line(ax)
        values = [*values, 0.0]
    elif metric.name == "throttled":
        values = [*values, 0.0, 1.0]
    linear_axis(ax.yaxis, values, show_on(metric, clock), metric.unit_on(clock))


FIGURES = Figures(
    experiment="cpu-quota",
    metrics=frozenset({"error", "throttled", "stall"}),
    numbers=frozenset({"quota", "period", "threads"}),
    words=frozenset({"controller"}),
    panels=panels,
)
