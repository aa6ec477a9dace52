"""The quota's error as a surface over quota, period and threads, beside what the model allows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cnbench.analysis.chapters import Chapter, ChapterEntry, Origin, shorten
from cnbench.analysis.number_format import minus
from cnbench.analysis.rows import Row
from cnbench.core.errors import UsageError
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.parameter import Value
from cnbench.core.units import format_quantity, parse_quantity
from cnbench.experiments.cpu_quota.model import Bandwidth
from cnbench.report.plots.axes import name_axis
from cnbench.report.svg import BAND, INK, KeyEntry, Panel, series
from cnbench.stats.intervals import Interval

ERROR = "error"
COMMON: Mapping[str, Value] = {"load": "spin", "nested": "none", "burst": 0.0, "start": "edge"}
# More columns than these have no room for their numbers.
_MOST_COLUMNS = 9
# An error of this share has no colour, one of that share all of it; logarithmic between.
_PALEST, _FULLEST = 1e-3, 1.0
_OVER, _UNDER = 1, 0
_CELL, _AROUND = 30.0, 62.0

Column = tuple[float, float]  # threads, quota


@dataclass(frozen=True)
class SurfaceCell:
    """One point of the surface.

    Attributes:
        error: what was measured.
        bound: the largest error that the model allows; None where the kernel's tick is not known.
    """

    error: Interval
    bound: float | None

    @property
    def beyond(self) -> bool:
        """Whether the whole interval is outside of what the model allows."""
        if self.bound is None:
            return False
        return self.error.low > self.bound or self.error.high < -self.bound


Surface = dict[tuple[Column, float], SurfaceCell]


def on_the_surface(chapter: Chapter) -> list[ChapterEntry]:
    """Its cases of the common kind; of two that differ in their number of periods, the longer."""
    longest: dict[tuple[object, ...], ChapterEntry] = {}
    for entry in sorted(filter(is_common, chapter.ok), key=lambda entry: _number(entry, "periods")):
        rest = tuple(v for name, v in entry.case.params.items() if name != "periods")
        longest[entry.origin, rest] = entry
    return [entry for entry in chapter.ok if entry in longest.values()]


def is_common(entry: ChapterEntry) -> bool:
    """Whether it is on the surface: in user space, in a group of its own, from edge to edge."""
    params = entry.case.params
    return all(params.get(name, value) == value for name, value in COMMON.items())


def surface_panels(chapter: Chapter) -> list[Panel]:
    """Measured and modelled, side by side, for each origin, controller and number of threads."""
    return [panel for title, surface in _surfaces(chapter) for panel in _pair(title, surface)]


def _pair(title: str, surface: Surface) -> Iterable[Panel]:
    rows = {period for _, period in surface}
    height = _AROUND + _CELL * len(rows)
    beyond = sum(cell.beyond for cell in surface.values())
    told = f" Framed: beyond the model ({beyond} of {len(surface)})." if beyond else ""
    yield Panel(
        title=f"CPU time used over the quota, measured{title}",
        caption="Each number is the median of the error. The darker, the farther from the quota,"
        f" on a logarithmic scale.{told}",
        draw=partial(_draw, surface, modelled=False),
        height=height,
        key=(
            KeyEntry("more than the quota", _OVER, "■"),
            KeyEntry("less", _UNDER, "■"),
        ),
    )
    if any(cell.bound is not None for cell in surface.values()):
        yield Panel(
            title=f"The farthest that the model allows{title}",
            caption="The same colours. On each CPU the controller may notice a tick late that a"
            " slice is used up, and may leave a millisecond of one unused; both are settled in the"
            " next period, so that a row of periods has one of each.",
            draw=partial(_draw, surface, modelled=True),
            height=height,
        )


def _surfaces(chapter: Chapter) -> Iterable[tuple[str, Surface]]:
    """Each surface with what it is about, for a title."""
    found: dict[tuple[Origin, Value], list[tuple[ChapterEntry, Row]]] = {}
    for entry in on_the_surface(chapter):
        if row := entry.row(ERROR):
            key = entry.origin, entry.case.params["controller"]
            found.setdefault(key, []).append((entry, row))
    for (origin, controller), ones in found.items():
        whole = _surface(chapter, origin, ones)
        told = [chapter.origin_label(origin)]
        told += [f"cgroup {controller}"] if len(chapter.values("controller")) > 1 else []
        for threads, part in _parts(whole):
            text = ", ".join(filter(None, [*told, threads]))
            if len(part) > 1:
                yield (f" ({shorten(text, 80)})" if text else ""), part


def _surface(chapter: Chapter, origin: Origin, ones: Iterable[tuple[ChapterEntry, Row]]) -> Surface:
    surface: Surface = {}
    for entry, row in ones:
        if row.interval is None:
            continue
        column = _number(entry, "threads"), _number(entry, "quota")
        environment = chapter.environments.get(origin.environment)
        bound = _bound(entry, environment) if environment else None
        surface[column, _number(entry, "period")] = SurfaceCell(row.interval, bound)
    return surface


def _parts(surface: Surface) -> Iterable[tuple[str, Surface]]:
    """The surface in pieces that have room: whole, or by the number of threads."""
    columns = {column for column, _ in surface}
    if len(columns) <= _MOST_COLUMNS:
        yield "", surface
        return
    for threads in sorted({threads for threads, _ in columns}):
        part = {at: cell for at, cell in surface.items() if at[0][0] == threads}
        yield threads_text(threads), part


def _bound(entry: ChapterEntry, environment: Fingerprint) -> float | None:
    """The model's largest error, with the kernel's own tick and slice."""
    behaviour = environment.behaviour
    try:
        tick = parse_quantity(behaviour["timer tick"], "s")
        slice_ = int(behaviour["kernel.sched_cfs_bandwidth_slice_us"]) / 1e6
        cpus = int(environment.machine["cpus"])
    except (KeyError, ValueError, UsageError):
        return None
    model = Bandwidth(
        quota=_number(entry, "quota"),
        period=_number(entry, "period"),
        running=min(cpus, int(_number(entry, "threads"))),
        tick=tick,
        slice=slice_,
    )
    return model.largest_error(max(1, int(_number(entry, "periods"))))


def _number(entry: ChapterEntry, name: str) -> float:
    return float(entry.case.params.get(name, 0))


def _draw(surface: Surface, ax: Axes, *, modelled: bool) -> None:
    columns = sorted({column for column, _ in surface})
    periods = sorted({period for _, period in surface})
    for (column, period), cell in surface.items():
        x, y = columns.index(column), periods.index(period)
        if not modelled:
            _draw_cell(ax, x, y, cell.error.estimate, _signed(cell.error.estimate), cell.beyond)
        elif cell.bound is not None:
            _draw_cell(ax, x, y, cell.bound, "±" + format_quantity(cell.bound, "1"), framed=False)
    ax.set_xlim(-0.5, len(columns) - 0.5)
    ax.set_ylim(-0.5, len(periods) - 0.5)
    ax.set_xticks(range(len(columns)), _column_names(columns))
    ax.set_yticks(range(len(periods)), [format_quantity(period, "s") for period in periods])
    ax.grid(visible=False)
    name_axis(ax.xaxis, "quota, of one CPU")
    name_axis(ax.yaxis, "period")


def _draw_cell(ax: Axes, x: int, y: int, error: float, text: str, framed: bool) -> None:
    colour = series(_OVER if error > 0 else _UNDER)
    corner = (x - 0.47, y - 0.45)
    ax.add_patch(Rectangle(corner, 0.94, 0.9, facecolor=BAND, linewidth=0))
    ax.add_patch(Rectangle(corner, 0.94, 0.9, facecolor=colour, linewidth=0, alpha=_depth(error)))
    if framed:
        ax.add_patch(Rectangle(corner, 0.94, 0.9, fill=False, edgecolor=INK, linewidth=1.2))
    ax.text(x, y, text, ha="center", va="center", fontsize=8, color=INK)


def _depth(error: float) -> float:
    """How much of its colour an error has, from 0 to less than 1: a number stays readable on it."""
    if abs(error) <= _PALEST:
        return 0.0
    share = math.log(abs(error) / _PALEST) / math.log(_FULLEST / _PALEST)
    return 0.7 * min(1.0, share)


def _signed(error: float) -> str:
    return minus(format_quantity(error, "1", signed=True))


def _column_names(columns: Sequence[Column]) -> list[str]:
    several = len({threads for threads, _ in columns}) > 1
    return [
        format_quantity(quota, "1") + (f"\n{threads_text(threads)}" if several else "")
        for threads, quota in columns
    ]


def threads_text(threads: float) -> str:
    """``1 thread``, ``2 threads``."""
    return f"{threads:g} thread" + ("" if threads == 1 else "s")
