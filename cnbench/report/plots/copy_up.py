"""copy-up: what the first change of a file costs against its size, beside a plain copy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from cnbench.analysis.chapters import Chapter, shorten
from cnbench.analysis.curves.copy_up import (
    ALONG,
    LATENCY,
    PLAIN,
    SIZE,
    WAYS,
    Curve,
    CurveSetting,
    curves_of,
    sync_in_words,
)
from cnbench.analysis.rows import Row
from cnbench.core.metric import ClockName
from cnbench.core.units import format_times
from cnbench.report.plots import generic
from cnbench.report.plots.axes import end_labels, ends_of, log_axis, name_axis, show_on
from cnbench.report.plots.drawing import Mark, draw_marks
from cnbench.report.plots.figures import Figures
from cnbench.report.svg import INK, KeyEntry, Panel, series

_OVERHEAD = "overhead"
_TITLES = {
    SIZE: "First change of a file, against its size",
    "layers": "First change of a file, against the layers above it",
    "depth": "First change of a file, against the folders that come up with it",
}
_NAMES = {SIZE: "size of the file", "layers": "lower layers", "depth": "folders above the file"}
_MARKERS = {"copy": ("o", "●"), "clone": ("D", "◆"), "metadata only": ("s", "■")}
_HEIGHT = 300.0
# A logarithmic axis has no zero: it stands this factor below the smallest size.
_BELOW = 16.0
_STEPS = 200


def panels(chapter: Chapter) -> list[Panel]:
    """The curves of each setting, along each parameter that has some; then what is in none."""
    made: list[Panel] = []
    shown: set[str] = set()
    for along in ALONG:
        found = curves_of(chapter, along)
        for setting, curves in found.items():
            shown |= {entry.case.key for curve in curves for _, entry, _ in curve.points}
            made += [
                _cost(chapter, setting, curves, found),
                *_against_plain(chapter, setting, curves),
            ]
    rest = replace(chapter, measured=tuple(o for o in chapter.ok if o.case.key not in shown))
    return made + (generic.panels(rest) if rest.measured else [])


def _cost(
    chapter: Chapter,
    setting: CurveSetting,
    curves: Sequence[Curve],
    all_curves: dict[CurveSetting, list[Curve]],
) -> Panel:
    along = curves[0].along
    rows = [row for curve in curves for _, _, row in curve.points]
    said = [words for curve in curves if (words := curve.in_words())]
    text = _plainly(rows) + " Curves: the fit of a fixed cost and a cost"
    text += f" for each {ALONG[along][1]}; thin, dashed: a plain, synced copy."
    if any(curve.empty for curve in curves):
        text += " An empty file is not synced, and is not on the line."
    if said:
        text += " 95 % intervals in brackets.\n" + "\n".join(said)
    if along == SIZE and setting["options"] == "volatile":
        text += "\n" + sync_in_words(all_curves.get(setting.but(options="default"), []), curves)
    return Panel(
        title=_title(chapter, setting, along),
        caption=text.strip(),
        draw=partial(_draw_cost, chapter, curves, _extent(chapter, setting.origin.clock)),
        height=_HEIGHT,
        key=_key(curves),
    )


def _plainly(rows: Sequence[Row]) -> str:
    return generic.caption(rows, band=False)


def _title(chapter: Chapter, setting: CurveSetting, along: str, what: str = "") -> str:
    parts = [chapter.origin_label(setting.origin)] + [
        f"{name} {chapter.show(name, value)}"
        for name, value in setting.params
        if name in chapter.varying
    ]
    told = ", ".join(part for part in parts if part)
    return shorten((what or _TITLES[along]) + (f" ({told})" if told else ""), 160)


def _key(curves: Sequence[Curve]) -> tuple[KeyEntry, ...]:
    ways = dict.fromkeys(curve.way for curve in curves if curve.way)
    return tuple(KeyEntry(WAYS[way], sign=_MARKERS[way][1]) for way in ways)


def _extent(chapter: Chapter, clock: ClockName) -> list[float]:
    """Every cost on this clock, so that all panels of costs have equal axes."""
    return ends_of(
        row
        for entry in chapter.ok
        if entry.origin.clock == clock
        for metric in (LATENCY, PLAIN)
        if (row := entry.row(metric))
    )


def _draw_cost(
    chapter: Chapter, curves: Sequence[Curve], extent: Sequence[float], ax: Axes
) -> None:
    row = curves[0].points[0][2]
    _along_axis(ax, chapter, curves)
    log_axis(ax.yaxis, extent, show_on(row.metric, row.clock), row.unit)
    labels = []
    for curve in curves:
        colour = _colour(chapter, curve)
        _draw_line(ax, curves, curve, colour)
        plain = [(at, r.interval) for at, entry, _ in curve.points if (r := entry.row(PLAIN))]
        ax.plot(
            [_at(curves, at) for at, _ in plain],
            [interval.estimate for _, interval in plain if interval],
            color=colour,
            linestyle="--",
            linewidth=0.8,
        )
        draw_marks(ax, _marks(curves, curve, colour))
        last = curve.points[-1][2].interval
        if last is not None:
            labels.append((curve.filesystem, last.estimate, colour))
    end_labels(ax, labels, _HEIGHT)


def _draw_line(ax: Axes, curves: Sequence[Curve], curve: Curve, colour: str) -> None:
    """The fit; where there is none, a thin line from point to point."""
    if curve.fit is None:
        shown = [(_at(curves, at), row.interval) for at, _, row in curve.points if row.interval]
        ax.plot([x for x, _ in shown], [i.estimate for _, i in shown], color=colour, linewidth=0.8)
        return
    places = curve.samples(LATENCY)[0]
    x = np.geomspace(_at(curves, places[0]), _at(curves, places[-1]), _STEPS)
    # To the left of the smallest there is only zero.
    at = np.where(x < _least(curves), 0.0, x)
    y = curve.fit.fixed.estimate + curve.fit.per_unit.estimate * at
    ax.plot(x[y > 0], y[y > 0], color=colour)


def _marks(curves: Sequence[Curve], curve: Curve, colour: str) -> list[Mark]:
    marker, _ = _MARKERS.get(curve.way, ("o", ""))
    return [
        Mark(_at(curves, at), row.interval, colour, marker)
        for at, _, row in curve.points
        if row.interval
    ]


def _against_plain(
    chapter: Chapter, setting: CurveSetting, curves: Sequence[Curve]
) -> Iterable[Panel]:
    """The same in quotients by the plain copy in the same sample, which most noise cancels in."""
    rows = [row for curve in curves for _, row in _overheads(curve)]
    if not rows or curves[0].along != SIZE:
        return
    yield Panel(
        title=_title(chapter, setting, SIZE, "The same, as a multiple of a plain copy"),
        caption=f"{_plainly(rows)} 1× is a plain copy of the same bytes to the bare file system"
        " below the upper layer, synced, in the same sample.",
        draw=partial(_draw_overhead, chapter, curves, _overhead_extent(chapter)),
        height=_HEIGHT,
        key=_key(curves),
    )


def _overheads(curve: Curve) -> list[tuple[float, Row]]:
    return [(at, row) for at, entry, _ in curve.points if (row := entry.row(_OVERHEAD))]


def _overhead_extent(chapter: Chapter) -> list[float]:
    return [1.0, *ends_of(row for entry in chapter.ok if (row := entry.row(_OVERHEAD)))]


def _draw_overhead(
    chapter: Chapter, curves: Sequence[Curve], extent: Sequence[float], ax: Axes
) -> None:
    _along_axis(ax, chapter, curves)
    log_axis(ax.yaxis, extent, format_times, "")
    ax.axhline(1, color=INK, linewidth=0.8)
    labels = []
    for curve in curves:
        colour = _colour(chapter, curve)
        shown = [(_at(curves, at), row.interval) for at, row in _overheads(curve) if row.interval]
        marker, _ = _MARKERS.get(curve.way, ("o", ""))
        ax.plot([x for x, _ in shown], [i.estimate for _, i in shown], color=colour, linewidth=0.8)
        draw_marks(ax, [Mark(x, interval, colour, marker) for x, interval in shown])
        if shown:
            labels.append((curve.filesystem, shown[-1][1].estimate, colour))
    end_labels(ax, labels, _HEIGHT)


def _along_axis(ax: Axes, chapter: Chapter, curves: Sequence[Curve]) -> None:
    """What the curves run along, in logarithms, with a tick where something was measured."""
    along = curves[0].along
    values = sorted({at for curve in curves for at in curve.places})
    places = [_at(curves, value) for value in values]
    log_axis(ax.xaxis, places, str, "", 0.05)
    names = {place: chapter.show(along, value) for place, value in zip(places, values, strict=True)}
    ax.set_xticks(places, [names[place] for place in places])
    name_axis(ax.xaxis, _NAMES[along])


def _at(curves: Sequence[Curve], value: float) -> float:
    """Where a value stands on a logarithmic axis."""
    return value or _least(curves) / (_BELOW if curves[0].along == SIZE else 2)


def _least(curves: Sequence[Curve]) -> float:
    return min((at for curve in curves for at in curve.places if at > 0), default=1.0)


def _colour(chapter: Chapter, curve: Curve) -> str:
    return series([str(kind) for kind in chapter.values("filesystem")].index(curve.filesystem))


FIGURES = Figures(
    experiment="copy-up",
    metrics=frozenset({LATENCY, PLAIN, _OVERHEAD}),
    numbers=frozenset({"layers"}),
    words=frozenset({"filesystem", "size", "depth", "options", "trigger"}),
    panels=panels,
)
