"""The curves of copy-up: cost over size, layers or depth, and what it is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from cnbench.analysis.chapters import Chapter, ChapterEntry, Origin
from cnbench.analysis.number_format import minus, span
from cnbench.analysis.rows import Row
from cnbench.core.errors import CnbenchError
from cnbench.core.parameter import Value
from cnbench.core.units import format_quantity
from cnbench.experiments.copy_up.proof import THE_WAY
from cnbench.stats.arrays import Floats
from cnbench.stats.intervals import Interval
from cnbench.stats.scaling import LinearFit, linear_difference, linear_fit

LATENCY, PLAIN = "latency", "copy"
SIZE = "size"
# What a curve may run along: the unit of its steps, and how they are called.
ALONG = {SIZE: (2.0**20, "MiB"), "layers": (1.0, "layer"), "depth": (1.0, "folder")}
_FEWEST_TO_FIT = 3
# Beyond this distance from the line its two figures are a description, not what a byte costs.
_GOOD_FIT = 0.25
# Of what a plain copy of a byte costs: below this a file's size does not matter.
_NOTHING = 0.01
# What each way of the data means that a proof may name.
WAYS = {
    "copy": "data copied",
    "clone": "extents shared (reflink)",
    "metadata only": "data left below (metacopy)",
}


@dataclass(frozen=True)
class CurveSetting:
    """What all points of a curve have in common, but for the file system."""

    origin: Origin
    params: tuple[tuple[str, Value], ...]

    def but(self, **changes: Value) -> CurveSetting:
        """The same with other values."""
        return CurveSetting(self.origin, tuple((n, changes.get(n, v)) for n, v in self.params))

    def __getitem__(self, name: str) -> Value:
        return dict(self.params)[name]


@dataclass(frozen=True)
class Curve:
    """One file system in one setting; the points are in rising order."""

    filesystem: str
    along: str
    points: tuple[tuple[float, ChapterEntry, Row], ...]

    @property
    def places(self) -> list[float]:
        """Where its points are."""
        return [at for at, _, _ in self.points]

    @cached_property
    def fit(self) -> LinearFit | None:
        """Fixed cost, and cost of one more byte, layer or folder; None for too few points."""
        return self._fitted(LATENCY)

    @cached_property
    def plain(self) -> LinearFit | None:
        """The same of the plain copies that were made beside."""
        return self._fitted(PLAIN)

    @property
    def empty(self) -> Interval | None:
        """The cost of an empty file, which has no data to copy and nothing to sync."""
        return next((row.interval for at, _, row in self.points if not self._has_data(at)), None)

    @property
    def way(self) -> str:
        """How most of the data came up, a key of ``WAYS``; empty where no proof says it."""
        ways = Counter(way for _, entry, _ in self.points if (way := _way(entry)) in WAYS)
        return ways.most_common(1)[0][0] if ways else ""

    @property
    def unit(self) -> str:
        """Of its values."""
        return self.points[0][2].unit

    def samples(self, metric: str) -> tuple[list[float], list[Floats]]:
        """Where a metric is known, and its values there, of what a line is drawn through."""
        rows = [
            (at, row.values)
            for at, entry, _ in self.points
            if self._has_data(at) and (row := entry.row(metric))
        ]
        return [at for at, _ in rows], [values for _, values in rows]

    def _has_data(self, at: float) -> bool:
        # An empty file is not synced: it is below the line through all others, not on it.
        return self.along != SIZE or at > 0

    def _fitted(self, metric: str) -> LinearFit | None:
        places, values = self.samples(metric)
        if len(set(places)) < _FEWEST_TO_FIT:
            return None
        try:
            fit = linear_fit(places, values)
        except CnbenchError:
            return None
        return fit if fit.per_unit.bounded else None

    def in_words(self) -> str:
        """What the fit says; or nothing."""
        if self.fit is None:
            return ""
        step, name = ALONG[self.along]
        slope = self.fit.per_unit.map(lambda cost: cost * step)
        fixed, unit = self.fit.fixed, self.unit
        text = f"{self.filesystem}: {_with_interval(fixed, unit)}"
        each = f"{_with_interval(slope, unit)} a {name}"
        if self.along == SIZE:
            text += self._by_size(each)
        else:
            text += f" and {each}"
        if self.empty is not None:
            text += f"; an empty file {_with_interval(self.empty, unit)}"
        if self.fit.misfit > _GOOD_FIT:
            text += f"; no line: a median lies {self.fit.misfit:.0%} off"
        return minus(text)

    def _by_size(self, each: str) -> str:
        if self.fit is None:
            return ""
        why = f": {WAYS[self.way]}" if self.way else ""
        if self.is_flat:
            return f", whatever the size ({each}){why}"
        bandwidth = ""
        if self.unit == "s" and self.fit.per_unit.low > 0:
            ends = self.fit.per_unit
            bandwidth = f", {_rate(ends.estimate)} ({span(_rate(ends.high), _rate(ends.low))})"
        return f" and {each}{bandwidth}{why}"

    @property
    def is_flat(self) -> bool:
        """Whether a byte costs less than a hundredth of what a plain copy of it does."""
        if self.fit is None or self.plain is None or self.along != SIZE:
            return False
        return self.fit.per_unit.high < _NOTHING * self.plain.per_unit.low


def curves_of(chapter: Chapter, along: str) -> dict[CurveSetting, list[Curve]]:
    """The curves along one parameter, by setting; what would be a single point is left out."""
    points: dict[tuple[CurveSetting, str], list[tuple[float, ChapterEntry, Row]]] = {}
    for entry in chapter.ok:
        row = entry.row(LATENCY)
        if row is None:
            continue
        params = entry.case.params
        rest = tuple((n, v) for n, v in params.items() if n not in (along, "filesystem"))
        key = CurveSetting(entry.origin, rest), str(params["filesystem"])
        points.setdefault(key, []).append((float(params[along]), entry, row))
    found: dict[CurveSetting, list[Curve]] = {}
    for (setting, filesystem), ones in points.items():
        if len({at for at, _, _ in ones}) > 1:
            curve = Curve(filesystem, along, tuple(sorted(ones, key=lambda point: point[0])))
            found.setdefault(setting, []).append(curve)
    return found


def sync_in_words(synced: Iterable[Curve], volatile: Sequence[Curve]) -> str:
    """What of a cost is the sync: by how much the default is above ``volatile``, curve by curve."""
    without = {curve.filesystem: curve for curve in volatile}
    parts = [
        part
        for curve in synced
        if (other := without.get(curve.filesystem)) and (part := _sync(curve, other))
    ]
    return f"The sync, which volatile leaves out, is {'; '.join(parts)}." if parts else ""


def _sync(synced: Curve, volatile: Curve) -> str:
    if synced.fit is None or volatile.fit is None:
        return ""
    fixed, per_byte = linear_difference(volatile.samples(LATENCY), synced.samples(LATENCY))
    step, name = ALONG[SIZE]
    each = _with_interval(per_byte.map(lambda cost: cost * step), synced.unit)
    return minus(f"{synced.filesystem}: {_with_interval(fixed, synced.unit)} and {each} a {name}")


def _with_interval(value: Interval, unit: str) -> str:
    low, high = format_quantity(value.low, unit), format_quantity(value.high, unit)
    return f"{format_quantity(value.estimate, unit)} ({span(low, high)})"


def _rate(seconds_a_byte: float) -> str:
    return f"{format_quantity(1 / seconds_a_byte, 'B')}/s"


def _way(entry: ChapterEntry) -> str:
    """Which way the data came, by the proof; empty where it does not say."""
    return next((c.observed for c in entry.result.proof.checks if c.claim == THE_WAY), "")
