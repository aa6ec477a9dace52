"""Medians, intervals and noise bands, drawn as collections: a thousand cases are few artists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from cnbench.report.svg import BAND
from cnbench.stats.intervals import Interval


@dataclass(frozen=True)
class Mark:
    """A median and its interval, ``at`` a place on the axis that is not the metric's."""

    at: float
    interval: Interval
    colour: str
    marker: str = "o"


@dataclass(frozen=True)
class Band:
    """A noise floor from ``low`` to ``high``, ``width`` wide around ``at``."""

    at: float
    width: float
    low: float
    high: float


def draw_marks(ax: Axes, marks: Iterable[Mark], *, upright: bool = True) -> None:
    """Dots for medians, lines for intervals; one without bound is dotted across the axes."""
    alike: dict[tuple[str, str], list[Mark]] = {}
    for mark in marks:
        alike.setdefault((mark.colour, mark.marker), []).append(mark)
    for (colour, marker), ones in alike.items():
        _draw_intervals(ax, ones, colour, upright)
        places = [mark.at for mark in ones]
        medians = [mark.interval.estimate for mark in ones]
        x, y = (places, medians) if upright else (medians, places)
        ax.plot(x, y, marker, markersize=5, color=colour)


def draw_bands(ax: Axes, bands: Sequence[Band], *, upright: bool = True) -> None:
    """Noise floors behind the marks."""
    corners = [
        [
            (band.at - band.width / 2, band.low),
            (band.at + band.width / 2, band.low),
            (band.at + band.width / 2, band.high),
            (band.at - band.width / 2, band.high),
        ]
        for band in bands
    ]
    if not upright:
        corners = [[(y, x) for x, y in corner] for corner in corners]
    ax.add_collection(
        PolyCollection(corners, facecolors=BAND, linewidths=0, zorder=0.9), autolim=False
    )


def _draw_intervals(ax: Axes, marks: Sequence[Mark], colour: str, upright: bool) -> None:
    bounded = [mark for mark in marks if mark.interval.bounded]
    lows = [mark.interval.low for mark in bounded]
    highs = [mark.interval.high for mark in bounded]
    lines = ax.vlines if upright else ax.hlines
    if bounded:
        lines([mark.at for mark in bounded], lows, highs, colors=colour, linewidths=1.4, zorder=2)
    across = [mark.at for mark in marks if not mark.interval.bounded]
    if across:
        axis = ax.get_xaxis_transform() if upright else ax.get_yaxis_transform()
        lines(across, 0, 1, colors=colour, linewidths=0.8, linestyles=":", transform=axis)
