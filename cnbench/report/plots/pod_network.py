"""pod-network: each backend's cost over host-gw's, uncut buffers beside single packets.

veth hands over large buffers that were never cut, which hides part of a tunnel's cost: so what was
measured with offloads and without stands in one plot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.axes import Axes

from cnbench.analysis.chapters import Chapter, ChapterEntry, Origin
from cnbench.analysis.observed import values_in_pairs
from cnbench.core.units import format_times
from cnbench.report.plots import generic
from cnbench.report.plots.axes import is_wide, linear_axis, log_axis
from cnbench.report.plots.drawing import Mark, draw_marks
from cnbench.report.plots.figures import Figures
from cnbench.report.svg import INK, KeyEntry, Panel, series
from cnbench.stats.intervals import Interval
from cnbench.stats.paired import paired_ratio

_REFERENCE = "host-gw"
_PER_BYTE, _PER_EXCHANGE = "cpu_cost", "exchange_cost"
_PER = {_PER_BYTE: "per byte", _PER_EXCHANGE: "of an exchange"}
_OFFLOADS = ("on", "off")
_MEANING = {
    "on": "offloads on: buffers of up to 64 KiB, uncut",
    "off": "offloads off: every packet pays its own way",
}
_LINE = 22


@dataclass(frozen=True)
class _Relative:
    """One backend's cost over the reference's, in the same blocks."""

    metric: str
    backend: str
    offloads: str
    ratio: Interval


def panels(chapter: Chapter) -> list[Panel]:
    """A panel of ratios for each setting, and the generic ones."""
    settings = dict.fromkeys((entry.origin, _setting(chapter, entry)) for entry in chapter.ok)
    ratios = [
        _panel(chapter, origin, setting, found)
        for origin, setting in settings
        if (found := _relative(chapter, origin, setting))
    ]
    return ratios + generic.panels(chapter)


def _setting(chapter: Chapter, entry: ChapterEntry) -> str:
    """What tells the case from others, backend and offloads apart."""
    return ", ".join(
        f"{name} {chapter.show(name, entry.case.params.get(name))}"
        for name in chapter.varying
        if name not in ("backend", "offloads")
    )


def _relative(chapter: Chapter, origin: Origin, setting: str) -> list[_Relative]:
    alike = [
        entry
        for entry in chapter.ok
        if entry.origin == origin and _setting(chapter, entry) == setting and _metric(entry)
    ]
    references = {
        entry.result.group: entry for entry in alike if entry.case.params["backend"] == _REFERENCE
    }
    found = []
    for entry in alike:
        reference = references.get(entry.result.group)
        if reference is None or reference is entry:
            continue
        metric = _metric(entry)
        below, above = values_in_pairs(reference.result.samples, entry.result.samples, metric)
        if below.size:
            ratio = paired_ratio(below, above)
            params = entry.case.params
            backend, offloads = str(params["backend"]), str(params["offloads"])
            found.append(_Relative(metric, backend, offloads, ratio))
    return found


def _metric(entry: ChapterEntry) -> str:
    """The cost that the case has: of a byte in a stream, or of an exchange."""
    return next((metric for metric in _PER if entry.row(metric)), "")


def _panel(chapter: Chapter, origin: Origin, setting: str, found: Sequence[_Relative]) -> Panel:
    where = ", ".join(part for part in (setting, chapter.origin_label(origin)) if part)
    shown = [offloads for offloads in _OFFLOADS if any(r.offloads == offloads for r in found)]
    backends = list(dict.fromkeys(r.backend for r in found))
    return Panel(
        title=f"CPU cost {_PER[found[0].metric]}, over {_REFERENCE}'s"
        + (f" ({where})" if where else ""),
        caption="Dots: median of the quotients of both costs in a block; lines: 95 % interval."
        " No NIC: all devices are veth.",
        draw=partial(_draw, found, backends),
        height=60 + _LINE * len(backends) * max(1, len(shown)),
        key=tuple(KeyEntry(_MEANING[offloads], _OFFLOADS.index(offloads)) for offloads in shown),
    )


def _draw(found: Sequence[_Relative], backends: Sequence[str], ax: Axes) -> None:
    marks, values = [], [1.0]
    for relative in found:
        side = 0.16 if relative.offloads == "on" else -0.16
        line = len(backends) - 1 - backends.index(relative.backend) + side
        marks.append(Mark(line, relative.ratio, series(_OFFLOADS.index(relative.offloads))))
        values.append(relative.ratio.estimate)
        values += [relative.ratio.low, relative.ratio.high] if relative.ratio.bounded else []
    draw_marks(ax, marks, upright=False)
    scale = log_axis if is_wide(values) else linear_axis
    scale(ax.xaxis, values, format_times, "")
    ax.axvline(1, color=INK, linewidth=0.8)
    ax.set_yticks(range(len(backends)), list(reversed(backends)), fontsize=9)
    ax.set_ylim(-0.7, len(backends) - 0.3)
    ax.grid(visible=True, axis="x")
    ax.grid(visible=False, axis="y")


FIGURES = Figures(
    experiment="pod-network",
    metrics=frozenset({_PER_BYTE}),
    numbers=frozenset(),
    words=frozenset({"backend", "offloads"}),
    panels=panels,
)
