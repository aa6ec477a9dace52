"""The cost of each case over the kernels that one run measured it on, and the steps in it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cnbench.analysis.chapters import Chapter, ChapterEntry
from cnbench.analysis.rows import Row
from cnbench.core.kernels.release import release_order
from cnbench.core.metric import ClockName, Metric
from cnbench.stats.changepoint import Step, out_of_line, steps

# What medians on the instruction clock differ by from boot to boot, as a share. Measured on 6.12
# with service-routing, the other CPU busy: iptables and IPVS, 18 cases in 10 pairs of 5 boots, 95 %
# of the medians within 0.05 % of each other; nftables, in 2 boots, all within 0.09 %.
BETWEEN_BOOTS = 1e-3
# In longer series on the wall clock, neighbours show what runs differ by.
_FEWEST_NEIGHBOURS = 8
# Of a release: a number or a word, with what follows up to the next one.
_PART = re.compile(r"(?:\d+|[^\W\d]\w*)\W*")


@dataclass(frozen=True)
class Series:
    """One metric of one case, kernel by kernel.

    Attributes:
        kernels: the releases, in their order.
        measured: the case on each of them.
        rows: the metric's row of each.
        noise: what two measurements of one kernel may differ by: a share, or for an additive metric
            in its unit; infinite where nothing tells.
        steps: where the cost changed; an ``index`` is one into ``kernels``. None where that cannot
            be said: a median has no interval, or nothing tells how much two boots differ.
        out_of_line: single places that lie off the level around them; on the wall clock alone.
    """

    kernels: tuple[str, ...]
    measured: tuple[ChapterEntry, ...]
    rows: tuple[Row, ...]
    noise: float
    steps: tuple[Step, ...] | None
    out_of_line: tuple[int, ...] = ()


@dataclass(frozen=True)
class KernelHistory:
    """All cases of one metric that one run measured on more than one kernel of a guest.

    Attributes:
        run: the run's letter on the page; empty where there is only one.
        metric: what was measured.
        clock: on which clock.
        kernels: every release, in their order; a series may lack some.
        series: a series a case.
    """

    run: str
    metric: Metric
    clock: ClockName
    kernels: tuple[str, ...]
    series: tuple[Series, ...]


def histories_of(chapter: Chapter) -> list[KernelHistory]:
    """Every history that the runs of a chapter hold, run by run, each metric on each clock."""
    runs = dict.fromkeys(place.run for place in chapter.origins)
    found = [
        _history(chapter, run, metric, clock) for run in runs for metric, clock in chapter.metrics()
    ]
    return [history for history in found if history.series]


def _history(chapter: Chapter, run: str, metric: Metric, clock: ClockName) -> KernelHistory:
    by_point: dict[str, list[ChapterEntry]] = {}
    for entry in chapter.ok:
        place = entry.origin
        if (place.run, place.lab, place.clock) == (run, "guest", clock) and entry.row(metric.name):
            by_point.setdefault(entry.case.point, []).append(entry)
    series = tuple(_series(ones, metric) for ones in by_point.values() if len(ones) > 1)
    kernels = {kernel for line in series for kernel in line.kernels}
    return KernelHistory(run, metric, clock, tuple(sorted(kernels, key=release_order)), series)


def _series(measured: Sequence[ChapterEntry], metric: Metric) -> Series:
    in_order = sorted(measured, key=lambda entry: release_order(entry.origin.kernel))
    rows = tuple(row for entry in in_order if (row := entry.row(metric.name)))
    kernels = tuple(entry.origin.kernel for entry in in_order)
    return Series(
        kernels, tuple(in_order), rows, _noise(rows), steps_of(rows), out_of_line_of(rows)
    )


def steps_of(rows: Sequence[Row]) -> tuple[Step, ...] | None:
    """Where a series of ``rows`` of one metric steps; None where that cannot be said."""
    intervals = [row.interval for row in rows if row.interval]
    metric, noise = rows[0].metric, _noise(rows)
    positive = metric.scale == "additive" or all(interval.low > 0 for interval in intervals)
    if not math.isfinite(noise) or not positive or not all(i.bounded for i in intervals):
        return None
    told_alone = _told_alone(rows)
    return tuple(steps(intervals, noise=noise, scale=metric.scale, told_alone=told_alone))


def _told_alone(rows: Sequence[Row]) -> bool:
    """Whether a kernel may have a cost of its own: what boots differ by is known, or few are."""
    return rows[0].clock == "instructions" or len(rows) < _FEWEST_NEIGHBOURS


def out_of_line_of(rows: Sequence[Row]) -> tuple[int, ...]:
    """The single places of a series that lie off the level around them; on the wall clock alone."""
    if steps_of(rows) is None or _told_alone(rows):
        return ()
    intervals = [row.interval for row in rows if row.interval]
    return tuple(out_of_line(intervals, noise=_noise(rows), scale=rows[0].metric.scale))


def _noise(rows: Sequence[Row]) -> float:
    """How much two runs of the same may differ: what was seen, and what boots are known to add."""
    seen = [row.noise for row in rows if row.noise is not None]
    if rows[0].clock == "wall":
        return max(seen, default=math.inf)
    metric = rows[0].metric
    size = max(abs(row.interval.estimate) for row in rows if row.interval)
    return max([BETWEEN_BOOTS * (1.0 if metric.scale == "ratio" else size), *seen])


def short_releases(releases: Sequence[str]) -> list[str]:
    """Releases cut to what tells them apart, and to two numbers at least: 5.10, 6.1, 6.12."""
    parts = [_PART.findall(release) for release in releases]
    for kept in range(2, max(map(len, parts), default=2)):
        short = ["".join(part[:kept]).rstrip("-.+~_") for part in parts]
        if len(set(short)) == len(short):
            return short
    return list(releases)
