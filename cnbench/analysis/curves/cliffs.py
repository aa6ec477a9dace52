"""Where a cost leaves its line as a parameter grows, and what the shape of that points to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnbench.analysis.compared import DEFAULT_FLOOR
from cnbench.analysis.rows import Row
from cnbench.core.metric import ClockName, Metric
from cnbench.core.parameter import Value
from cnbench.core.units import format_quantity
from cnbench.stats.pieces.design import next_size
from cnbench.stats.pieces.growth import Growth, growth
from cnbench.stats.pieces.lines import Break, Pieces, pieces

# Of a normal distribution: a 95 % interval is so many standard deviations wide.
_WIDTH_OF_INTERVAL = 2 * 1.96
# What changes by less than this is still the same line to anybody who uses it.
_STEEPER = 1.25
# What one block says nothing about is taken to be this share of the cost.
_FEWEST_TO_TELL, _UNTOLD = 2, 0.1
# A cost of nothing has some noise, too.
_SMALLEST = 1e-12


@dataclass(frozen=True)
class CliffCurve:
    """A cost at each size that was measured.

    Attributes:
        params: the other parameters, which are the same at all sizes.
        where: lab, clock and (for a guest) kernel.
        parameter: the one that grows.
        metric: what the cost is.
        clock: what it was taken with.
        sizes: rising.
        costs: one for each, in the metric's unit on that clock.
        noise: the standard deviation of each.
    """

    params: tuple[tuple[str, Value], ...]
    where: tuple[str, ...]
    parameter: str
    metric: Metric
    clock: ClockName
    sizes: tuple[int, ...]
    costs: tuple[float, ...]
    noise: tuple[float, ...]

    @property
    def unit(self) -> str:
        """The unit of the costs."""
        return self.metric.unit_on(self.clock)

    def next_size(self) -> int | None:
        """The size to measure next, or None where enough is known."""
        return next_size(self.sizes, self.costs, self.noise)

    def pieces(self) -> Pieces:
        """The lines it is made of, and the evidence for each break."""
        return pieces(self.sizes, self.costs, self.noise)

    def growth(self) -> Growth | None:
        """The smooth curve that explains it as well as its pieces do; None where none does."""
        smooth = growth(self.sizes, self.costs, self.noise)
        found = self.pieces()
        return smooth if found.breaks and smooth.criterion <= found.criterion else None

    def breaks(self) -> tuple[Break, ...]:
        """Where it leaves its line; nowhere, if it is no line but a smooth curve."""
        return () if self.growth() else self.pieces().breaks


_Key = tuple[tuple[tuple[str, Value], ...], tuple[str, ...]]


def curves_of(rows: Iterable[Row], parameter: str, metric: str) -> list[CliffCurve]:
    """The curves of ``metric`` over ``parameter``, one for each set of others, lab and clock."""
    found: dict[_Key, dict[int, Row]] = {}
    for row in rows:
        if row.metric.name == metric and row.status == "ok" and row.interval:
            others = tuple((n, v) for n, v in row.case.params.items() if n != parameter)
            key = (others, row.case.where)
            found.setdefault(key, {})[int(row.case.params[parameter])] = row
    return [_curve(key, parameter, by_size) for key, by_size in found.items()]


def _curve(key: _Key, parameter: str, by_size: dict[int, Row]) -> CliffCurve:
    sizes = sorted(by_size)
    rows = [by_size[size] for size in sizes]
    medians = [row.interval.estimate if row.interval else 0.0 for row in rows]
    return CliffCurve(
        *key,
        parameter,
        rows[0].metric,
        rows[0].clock,
        tuple(sizes),
        tuple(medians),
        tuple(map(_noise, rows)),
    )


def _noise(row: Row) -> float:
    """The standard deviation of a median: of its blocks, and what two set-ups differ by at least.

    The interval says what blocks of one set-up differ by. Sizes are measured in set-ups of their
    own, and two of those may lie apart by what a comparison of two runs assumes.
    """
    assert row.interval is not None  # noqa: S101
    width = row.interval.high - row.interval.low
    if math.isinf(width):  # so few blocks bound nothing: what they lie apart is all that is known
        width = _WIDTH_OF_INTERVAL * (max(row.values) - min(row.values))
    apart = abs(row.interval.estimate) * DEFAULT_FLOOR[row.clock] / 2
    if len(row.values) < _FEWEST_TO_TELL:
        apart = abs(row.interval.estimate) * _UNTOLD
    return max(float(width) / _WIDTH_OF_INTERVAL, apart, _SMALLEST)


def sentence(curve: CliffCurve, cliff: Break) -> str:
    """Where a cost leaves its line, in words."""
    before, after = (format_quantity(slope, curve.unit) for slope in (cliff.before, cliff.after))
    where = f"{cliff.place:,.0f} ({cliff.low:,.0f} to {cliff.high:,.0f})"
    said = f"at {where} {curve.parameter}: {before} each before, {after} each beyond"
    if cliff.kind == "jump":
        said += f", and {format_quantity(cliff.step, curve.unit, signed=True)} at once"
    return f"{said}; evidence {cliff.evidence:,.0f}"


def reason(one: Break, counted: Sequence[Break] | None, clock: ClockName) -> str:
    """What a break points to.

    Args:
        one: the break.
        counted: those of the same curve where instructions were counted; None where they were not.
        clock: what ``one`` was taken with.
    """
    if one.kind == "jump":
        full = "a table, a list, a batch, a packet is full"
        shape = f"the level changes at once: a limit was reached ({full})"
    elif one.after > _STEEPER * one.before:
        shape = "each one costs more from there on"
    else:
        shape = "each one costs less from there on: part of the work is not done any more"
    if clock == "instructions":
        return f"{shape}; the kernel or the tool executes that work (a chain, a list, a walk)"
    if counted is None:
        return f"{shape}; whether more is executed or memory is slower, --why would tell"
    there = any(other.low <= one.high and one.low <= other.high for other in counted)
    if there:
        return f"{shape}; so do the instructions: more is executed (a chain, a list, a walk)"
    return f"{shape}; the instructions stay on their line: a cache or the TLB is too small for it"
