"""Numbers as the report's tables print them; the same figure reads the same everywhere."""

from __future__ import annotations

import math

from cnbench.analysis.rows import Row
from cnbench.core.metric import Metric
from cnbench.core.parameter import Value
from cnbench.core.units import format_exact, format_quantity
from cnbench.stats.intervals import Interval

NO_BOUND = "no bound"


def minus(text: str) -> str:
    """``text`` with the minus sign that is as wide as a plus."""
    return text.replace("-", "−")


def value_text(value: Value, unit: str) -> str:
    """A parameter's value as a person writes it."""
    if isinstance(value, str):
        return value
    try:
        return format_exact(value, unit)
    except KeyError:
        # A unit that this cnbench does not know: a run file of another version.
        return f"{value:g} {unit}"


def median_text(row: Row) -> str:
    """The median with its unit."""
    return minus(row.metric.show(row.interval.estimate, row.clock)) if row.interval else "–"


def interval_text(row: Row) -> str:
    """The 95 % interval, the unit written once; what has no bound is said to have none."""
    return range_text(row.interval, row.metric, row) if row.interval else "–"


def range_text(interval: Interval, metric: Metric, row: Row) -> str:
    """Both ends of an interval in the metric's unit on the row's clock."""
    if not interval.bounded:
        return NO_BOUND
    return span(metric.show(interval.low, row.clock), metric.show(interval.high, row.clock))


def span(low: str, high: str) -> str:
    """``24.1 – 26.9 µs`` of two quantities, or with both units where they differ."""
    number, _, unit = low.partition(" ")
    same = unit and high.endswith(f" {unit}")
    return minus(f"{number if same else low} – {high}")


def noise_text(row: Row) -> str:
    """The noise floor: relative for a ratio metric, else in the metric's unit."""
    if row.noise is None:
        return "–"
    if not math.isfinite(row.noise):
        return NO_BOUND
    return f"± {row.metric.show_floor(row.noise, row.unit)}"


def duration_text(seconds: float) -> str:
    """A duration of seconds to hours, as a person says it."""
    if seconds < 90:
        return format_quantity(seconds, "s")
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"
