"""The trend page: each case from run to run, in one HTML file that opens offline, without a script.

asv's own pages fetch nine files from the network before they show anything.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

from cnbench.analysis.number_format import median_text, minus
from cnbench.analysis.trend import Trend
from cnbench.core.metric import Metric
from cnbench.core.units import FRACTION, format_quantity
from cnbench.report.filled import filled
from cnbench.stats.changepoint import Step
from cnbench.store import whole_file

# CSS pixels of a line, and of what is around it.
_WIDTH, _HEIGHT, _AROUND = 260, 44, 5
# A change of less than this share is not drawn as high as the line is, so that noise looks small.
_SMALLEST_SCALE = 0.01


@dataclass(frozen=True)
class Line:
    """One trend as a row of the page's table."""

    case: str
    metric: str
    runs: int
    first: str
    last: str
    change: str
    steps: tuple[str, ...]
    unknown: bool
    picture: Markup


def write(trends: Sequence[Trend], path: Path) -> None:
    """Write the page of ``trends`` to ``path`` in one step; its folder is made if need be.

    Raises:
        UsageError: it could not be written; what was in ``path`` before is still there.
    """
    whole_file.write(path, render(trends).encode("utf-8", errors="replace"), "the trend page")


def render(trends: Sequence[Trend]) -> str:
    """The page: a section an experiment, a line a trend."""
    sections = [
        (experiment, [_line(trend) for trend in found])
        for experiment, found in itertools.groupby(
            trends, key=lambda trend: trend.rows[0].case.experiment
        )
    ]
    runs = sorted({(run.started, run.id) for trend in trends for run in trend.runs})
    return filled("trend.html.j2", sections=sections, runs=[identity for _, identity in runs])


def _line(trend: Trend) -> Line:
    return Line(
        case=trend.label.partition(" ")[2],
        metric=trend.metric.name,
        runs=len(trend.runs),
        first=median_text(trend.rows[0]),
        last=median_text(trend.rows[-1]),
        change=_size(trend, trend.change),
        steps=tuple(_told(trend, step) for step in trend.steps or ()),
        unknown=trend.steps is None,
        picture=Markup("".join(_picture(trend))),  # noqa: S704  everything in it is escaped
    )


def _told(trend: Trend, step: Step) -> str:
    run = trend.runs[step.index]
    effect = step.effect.estimate
    size = _size(trend, effect - 1 if trend.metric.scale == "ratio" else effect)
    return f"{size} from {run.started[:10]}, {run.id}"


def _size(trend: Trend, change: float) -> str:
    unit = FRACTION if trend.metric.scale == "ratio" else trend.rows[0].unit
    return minus(format_quantity(change, unit, signed=True))


def _picture(trend: Trend) -> Iterator[str]:
    """The medians with their intervals, joined; steps have the colour of worse or better."""
    intervals = [row.interval for row in trend.rows if row.interval]
    ends = [end for i in intervals for end in (i.low, i.estimate, i.high) if math.isfinite(end)]
    middle = (min(ends) + max(ends)) / 2
    reach = max((max(ends) - min(ends)) / 2, _SMALLEST_SCALE * abs(middle) / 2) or 1.0

    def x(index: int) -> float:
        return _AROUND + index * (_WIDTH - 2 * _AROUND) / max(len(trend.rows) - 1, 1)

    def y(value: float) -> float:
        return _HEIGHT / 2 - (value - middle) / reach * (_HEIGHT / 2 - _AROUND)

    places = [(x(index), y(median)) for index, median in enumerate(trend.medians)]
    label = escape(f"{trend.metric.name} of {len(trend.runs)} runs: {_size(trend, trend.change)}")
    yield (
        f'<svg class="trend" role="img" aria-label="{label}" width="{_WIDTH}" height="{_HEIGHT}"'
        f' viewBox="0 0 {_WIDTH} {_HEIGHT}">'
    )
    joined = " ".join(f"{across:.1f},{down:.1f}" for across, down in places)
    yield f'<polyline points="{joined}"/>'
    for index, row in enumerate(trend.rows):
        if row.interval and row.interval.bounded:
            low, high = y(row.interval.low), y(row.interval.high)
            yield f'<path d="M{x(index):.1f} {low:.1f}V{high:.1f}"/>'
    for step in trend.steps or ():
        (x1, y1), (x2, y2) = places[step.index - 1 : step.index + 1]
        kind = "bad" if _is_worse(trend.metric, step) else "good"
        yield f'<path class="{kind}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'
    for (across, down), run, row in zip(places, trend.runs, trend.rows, strict=True):
        title = escape(f"{run.id}: {median_text(row)}")
        yield f'<circle cx="{across:.1f}" cy="{down:.1f}" r="2.5"><title>{title}</title></circle>'
    yield "</svg>"


def _is_worse(metric: Metric, step: Step) -> bool:
    before, after = step.before, step.after
    if metric.better == "zero":
        before, after = abs(before), abs(after)
    return (after > before) == (metric.better != "higher")
