"""What the plots share: axes in units a person reads, medians with their intervals, noise bands."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from cnbench.analysis.number_format import minus
from cnbench.analysis.rows import Row
from cnbench.core.metric import ClockName, Metric
from cnbench.core.units import FRACTION
from cnbench.report.svg import INK, MUTED

# From this ratio of the largest to the smallest value on, a linear axis hides the smallest.
WIDE = 8.0

# Factors that make a tick round in the unit it is shown in: bits of a byte, a cost per KiB.
_SHOWN_PER_BASE = {"B/s": 8.0, "s/B": 1024.0, "instructions/B": 1024.0}


def show_on(metric: Metric, clock: ClockName) -> Callable[[float], str]:
    """How the axis of a metric writes a value."""
    return lambda value: minus(metric.show(value, clock))


def ends_of(rows: Iterable[Row]) -> list[float]:
    """Every median and every bounded end of an interval."""
    return [
        value
        for row in rows
        if row.interval
        for value in (row.interval.estimate, row.interval.low, row.interval.high)
        if math.isfinite(value)
    ]


def is_wide(values: Sequence[float]) -> bool:
    """Whether the values need a logarithmic axis, and can have one."""
    return bool(values) and min(values) > 0 and max(values) / min(values) >= WIDE


def log_axis(
    axis: Axis, values: Sequence[float], show: Callable[[float], str], unit: str, pad: float = 0.06
) -> None:
    """A logarithmic axis over ``values``, with ``pad`` of its length free at both ends."""
    low, high = math.log10(min(values)), math.log10(max(values))
    # A flat line is drawn on a factor of two, so that its noise does not fill the plot.
    middle, half = (low + high) / 2, max((high - low) / 2, math.log10(2) / 2) * (1 + 2 * pad)
    limits = 10 ** (middle - half), 10 ** (middle + half)
    _set_limits(axis, limits, "log")
    factor = _shown_per_base(unit, limits[1])
    ticks = _log_ticks(limits[0] * factor, limits[1] * factor)
    axis.set_major_locator(FixedLocator(_told_apart([tick / factor for tick in ticks], show)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: show(value)))


def count_axis(axis: Axis, counts: Sequence[float], name: str) -> None:
    """A logarithmic axis of numbers of things, with a tick at each that was measured."""
    log_axis(axis, counts, lambda count: f"{count:,.0f}".replace(",", "\u202f"), "", 0.05)
    axis.set_major_locator(FixedLocator(sorted(set(counts))))
    name_axis(axis, name)


def linear_axis(
    axis: Axis, values: Sequence[float], show: Callable[[float], str], unit: str, pad: float = 0.06
) -> None:
    """A linear axis over ``values``, with ticks that are round in the unit they are shown in."""
    low, high = min(values), max(values)
    spread = (high - low) or abs(high) or 1.0
    limits = low - pad * spread, high + pad * spread
    _set_limits(axis, limits, "linear")
    factor = _shown_per_base(unit, max(abs(low), abs(high)))
    ticks = np.array(MaxNLocator(5).tick_values(limits[0] * factor, limits[1] * factor)) / factor
    first, last = _possible(low, high, unit, limits)
    shown = [low] if low == high else [t for t in ticks if first <= t <= last]
    axis.set_major_locator(FixedLocator(_told_apart(shown, show)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: show(value)))


def _possible(
    low: float, high: float, unit: str, limits: tuple[float, float]
) -> tuple[float, float]:
    """Where ticks may be: a share that lies between nothing and all has none beyond."""
    if unit == FRACTION and low >= 0 and high <= 1:
        return max(limits[0], 0.0), min(limits[1], 1.0)
    return limits


def _told_apart(ticks: Sequence[float], show: Callable[[float], str]) -> list[float]:
    """The ticks whose labels differ; of those that read the same, the first."""
    by_label: dict[str, float] = {}
    for tick in ticks:
        by_label.setdefault(show(tick), tick)
    return list(by_label.values())


def noise_ends(row: Row) -> tuple[float, float] | None:
    """The noise floor around the median of ``row``; None where it is not known."""
    if row.interval is None or row.noise is None or not math.isfinite(row.noise):
        return None
    median = row.interval.estimate
    if row.metric.scale == "ratio":
        return median / (1 + row.noise), median * (1 + row.noise)
    return median - row.noise, median + row.noise


def spread_labels(places: Sequence[float], gap: float) -> list[float]:
    """``places`` moved apart so that neighbours are ``gap`` away, each as little as can be.

    Groups that touch are merged and centred on the mean of what they hold, which is the least
    squares answer (pool adjacent violators: Barlow et al., Statistical Inference under Order
    Restrictions, 1972).
    """
    order = sorted(range(len(places)), key=lambda index: places[index])
    # In terms of place less rank x gap, "at least a gap away" is "not falling".
    pools: list[list[float]] = []
    for rank, index in enumerate(order):
        pools.append([places[index] - rank * gap])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    level = [float(np.mean(pool)) for pool in pools for _ in pool]
    moved = [0.0] * len(places)
    for rank, index in enumerate(order):
        moved[index] = level[rank] + rank * gap
    return moved


def end_labels(ax: Axes, labels: Sequence[tuple[str, float, str]], height: float) -> None:
    """Labels (text, value, colour) to the right of the axes, beside the values their lines end at.

    The limits of the axis must be set; ``height`` is the panel's, in points.
    """
    if not labels:
        return
    size = 9
    to_axes = ax.transScale.transform
    low, high = (to_axes((1, limit))[1] for limit in ax.get_ylim())
    at = [float((to_axes((1, value))[1] - low) / (high - low)) for _, value, _ in labels]
    for (text, _, colour), value, label in zip(
        labels, at, spread_labels(at, 1.35 * size / (0.8 * height)), strict=True
    ):
        ax.plot(
            [1.0, 1.03],
            [value, label],
            transform=ax.transAxes,
            clip_on=False,
            color=colour,
            linewidth=0.7,
        )
        ax.text(1.04, label, text, transform=ax.transAxes, fontsize=size, va="center", color=colour)


def zero_line(ax: Axes, *, vertical: bool = False) -> None:
    """A line where a signed error is none."""
    (ax.axvline if vertical else ax.axhline)(0, color=INK, linewidth=0.8)


def name_axis(axis: Axis, text: str) -> None:
    """What an axis shows, in small grey letters."""
    axis.set_label_text(text, fontsize=9, color=MUTED)


def _set_limits(axis: Axis, limits: tuple[float, float], scale: str) -> None:
    if isinstance(axis, XAxis):
        axis.axes.set_xscale(scale)
        axis.axes.set_xlim(*limits)
    else:
        axis.axes.set_yscale(scale)
        axis.axes.set_ylim(*limits)


def _log_ticks(low: float, high: float) -> list[float]:
    decades = math.log10(high / low)
    if decades < 1:
        ticks = MaxNLocator(7, steps=[1, 2, 5, 10]).tick_values(low, high)
        return [tick for tick in ticks if low <= tick <= high]
    steps: tuple[float, ...] = (1, 2, 5) if decades < 2 else (1, 3) if decades < 3 else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = max(1, round(decades / 6))
    return [
        step * 10.0**power
        for power in powers
        for step in steps
        if power % every == 0 and low <= step * 10.0**power <= high
    ]


def _shown_per_base(unit: str, largest: float) -> float:
    if unit == "B" and largest >= 1024:
        return 1024.0 ** -math.floor(math.log(largest, 1024))
    return _SHOWN_PER_BASE.get(unit, 1.0)
