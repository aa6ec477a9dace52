"""Plots as SVG that lives inside the page: its colours are the page's, light and dark alike.

Matplotlib draws with stand-in colours, which are then replaced by CSS variables. Text stays text,
so that it is small, can be selected, and takes the page's font.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from markupsafe import Markup
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

# Stand-ins: colours that no palette has. The CSS variable of each is in the page's style sheet.
INK = "#010101"
MUTED = "#020202"
GRID = "#030303"
BAND = "#040404"
PAPER = "#050505"
SERIES = tuple(f"#0a00{number:02x}" for number in range(1, 11))

_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    BAND: "--band",
    PAPER: "--paper",
} | {colour: f"--s{number}" for number, colour in enumerate(SERIES, 1)}

_EQUAL_PATHS = re.compile(r'<path d="[^"]*" (?P<rest>[^<>]*)/>(?:<path d="[^"]*" (?P=rest)/>)+')

_WIDTH = 390
_POINTS_PER_INCH = 72

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "cnbench",
    # Names come from run files; a dollar sign in one is no formula.
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.linewidth": 0.8,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.minor.visible": False,
    "ytick.minor.visible": False,
    "ytick.major.size": 0,
    "xtick.major.size": 3,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
}


@dataclass(frozen=True)
class KeyEntry:
    """One line of a plot's key: a sign in a series' colour, and what it stands for."""

    label: str
    series: int | None = None
    sign: str = "●"

    @property
    def style(self) -> str:
        """The class of its colour in the page's style sheet; empty without one."""
        return "" if self.series is None else f"s{self.series % len(SERIES) + 1}"


@dataclass(frozen=True)
class Panel:
    """One plot: ``draw`` fills axes of ``height`` points; the rest is the page's text around it."""

    title: str
    caption: str
    draw: Callable[[Axes], None]
    height: float = 270
    key: tuple[KeyEntry, ...] = ()


def series(index: int) -> str:
    """The colour of the series number ``index``, from 0; after the last one they begin again."""
    return SERIES[index % len(SERIES)]


def inline(panel: Panel, name: str) -> Markup:
    """The panel's SVG, to be put into HTML; ``name`` sets its ids apart from other panels'."""
    # The defaults first: a matplotlibrc of the user's must not change the page.
    with style.context(["default", _STYLE]):
        figure = Figure(
            figsize=(_WIDTH / _POINTS_PER_INCH, panel.height / _POINTS_PER_INCH),
            layout="constrained",
            facecolor="none",
        )
        axes = figure.add_subplot()
        panel.draw(axes)
        if engine := figure.get_layout_engine():
            engine.execute(figure)  # only then is it known where labels are
        for axis in (axes.xaxis, axes.yaxis):
            _keep_labels_apart(axis, upright=axis is axes.yaxis)
        # What has been laid out stays so; "none" would leave an engine, and savefig draws twice.
        figure.set_layout_engine(None)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    # Everything in it was made by matplotlib, which escapes text; the title goes in escaped here.
    return Markup(_for_the_page(drawn.getvalue(), name, panel.title))  # noqa: S704


def _keep_labels_apart(axis: Axis, *, upright: bool) -> None:
    """Hide the tick labels that run into another, those of the largest values last.

    A page's own font is no wider than the one that is measured with, and a small gap is left.
    """
    gap = 1.0 if upright else 6.0
    taken: list[tuple[float, float]] = []
    axis.get_majorticklabels()  # has the ticks brought up to date with the layout
    for tick in sorted(axis.get_major_ticks(), key=lambda tick: -tick.get_loc()):
        box = tick.label1.get_window_extent()
        low, high = (box.y0, box.y1) if upright else (box.x0, box.x1)
        if not tick.label1.get_text():
            continue
        if any(low < end + gap and begin - gap < high for begin, end in taken):
            tick.label1.set_visible(False)
        else:
            taken.append((low, high))


def _for_the_page(drawn: str, name: str, title: str) -> str:
    body = drawn[drawn.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", body, flags=re.S)
    used = frozenset(re.findall(r'(?:href="#|url\(#)([^")]+)', body))
    # Between the tags is text out of run files, which stays as it is.
    body = re.sub(r"<[^>]+>", lambda tag: _tag_for_the_page(tag[0], name, used), body)
    body = re.sub(r">\s+<", "><", body)
    body = _EQUAL_PATHS.sub(_one_path, body)
    view = re.search(r'viewBox="[^"]*"', drawn)
    label = escape(title, quote=True)
    opening = f'<svg class="plot" role="img" aria-label="{label}" {view[0] if view else ""}>'
    return re.sub(r"<svg[^>]*>", lambda _: opening, body, count=1)


def _one_path(equal: re.Match[str]) -> str:
    """One path with the lines of several that differ in nothing else: a tenth of the text."""
    lines = re.findall(r'd="([^"]*)"', equal[0])
    return f'<path d="{"".join(lines)}" {equal["rest"]}/>'


def _tag_for_the_page(tag: str, name: str, used: frozenset[str]) -> str:
    """One tag with the page's colours and font, ids of its own, and no digit too many."""

    def keep_if_used(found: re.Match[str]) -> str:
        return f' id="{name}-{found[1]}"' if found[1] in used else ""

    tag = tag.replace("xlink:href=", "href=").replace("\n", " ")
    tag = re.sub(r' id="([^"]+)"', keep_if_used, tag)
    tag = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", tag)
    tag = re.sub("|".join(_VARIABLES), lambda found: f"var({_VARIABLES[found[0]]})", tag)
    tag = re.sub(r"font-family: [^;\"]*;? ?", "", tag)
    tag = re.sub(r' transform="rotate\(-0 [^"]*"', "", tag)
    # A hundredth of a point is less than any screen shows.
    return re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", tag)
