"""How a Service's cost grows with the services, and where that of one mode passes another's."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnbench.analysis.chapters import ChapterEntry, shorten
from cnbench.analysis.curves.service_routing import BARE, METRIC, THROUGH_RULES, ServiceLine
from cnbench.analysis.number_format import minus, span
from cnbench.analysis.observed import values_in_pairs
from cnbench.core.errors import CnbenchError
from cnbench.core.units import format_quantity
from cnbench.stats.cases import CostsBySize
from cnbench.stats.crossover import crossover
from cnbench.stats.intervals import Interval
from cnbench.stats.scaling import linear_fit, power_law

_FEWEST_TO_FIT = 3
# Beyond this distance from the law an exponent is a description, not a law.
_GOOD_FIT = 0.1


@dataclass(frozen=True)
class Cost:
    """What a Service adds to the same conversation over a node without rules, over the services.

    Attributes:
        line: whose mode and position it is.
        sizes: services, in rising order.
        differences: for each size the cost of the Service less that of the control in the same
            block, which a slow spell of the machine adds to alike.
        per_service: what one more service adds, in the metric's unit.
    """

    line: ServiceLine
    sizes: tuple[float, ...]
    differences: tuple[tuple[float, ...], ...]
    per_service: Interval


def costs_of(lines: Sequence[ServiceLine]) -> list[Cost]:
    """The cost of each line through rules that has enough sizes with a control in their blocks."""
    controls = {
        (line.mode, size): entry
        for line in lines
        if line.position == BARE
        for size, entry, _ in line.points
    }
    found = []
    for line in lines:
        if line.position not in THROUGH_RULES:
            continue
        pairs = [
            (size, difference)
            for size, entry, _ in line.points
            if (control := controls.get((line.mode, size)))
            and (difference := _difference(entry, control))
        ]
        if len(pairs) < _FEWEST_TO_FIT:
            continue
        sizes, differences = zip(*pairs, strict=True)
        try:
            slope = linear_fit(sizes, differences).per_unit
        except CnbenchError:  # a Service that costs less than none does at some size: noise
            continue
        found.append(Cost(line, sizes, differences, slope))
    return found


def _difference(entry: ChapterEntry, control: ChapterEntry) -> tuple[float, ...]:
    if entry.result.group != control.result.group or entry.run is not control.run:
        return ()
    above, below = values_in_pairs(entry.result.samples, control.result.samples, METRIC)
    return tuple((above - below).tolist())


def sentences_of_costs(lines: Sequence[ServiceLine]) -> list[str]:
    """What one more service adds to the cost of the last, against the control in the same block."""
    return [
        minus(
            f"{shorten(cost.line.mode)}: {_quantity(cost.per_service.estimate, cost.line)} a "
            f"service ({_range(cost.per_service, cost.line)}) more than over a node without rules."
        )
        for cost in costs_of(lines)
        if cost.line.position == "last" and cost.per_service.bounded
    ]


def sentences_of_growth(lines: Sequence[ServiceLine]) -> list[str]:
    """The law that each line follows, where it has sizes enough to say."""
    return [sentence for line in lines if (sentence := _law(line))]


def crossing_of(one: ServiceLine, other: ServiceLine) -> Interval | None:
    """The number of services at which two lines cost the same; None where they never do.

    Raises:
        CnbenchError: no straight line is to be had through one of them.
    """
    return crossover(
        CostsBySize.of(*_sizes_and_values(one)), CostsBySize.of(*_sizes_and_values(other))
    )


def sentences_of_crossings(lines: Sequence[ServiceLine]) -> list[str]:
    """Where each two of the lines cost the same; about lines of unlike growth alone."""
    return list(_crossings([line for line in lines if len(line.points) >= _FEWEST_TO_FIT]))


def _crossings(lines: Sequence[ServiceLine]) -> Iterator[str]:
    for one, other in itertools.combinations(lines, 2):
        try:
            found = crossing_of(one, other)
        except CnbenchError:
            continue
        names = f"{shorten(one.mode)} and {shorten(other.mode)}"
        largest = min(line.points[-1][0] for line in (one, other))
        if found is None or found.estimate > 10 * largest:
            yield f"{names} cost the same nowhere near these sizes."
        elif not found.bounded or found.high == math.inf:
            yield f"{names} may cost the same around {found.estimate:,.0f} services, or never."
        else:
            beyond = ", beyond what was measured" if found.estimate > largest else ""
            low, high = (f"{end:,.0f}" for end in (found.low, found.high))
            yield (
                f"{names} cost the same at {found.estimate:,.0f} services "
                f"(95 % interval {low} to {high}){beyond}."
            )


def _law(line: ServiceLine) -> str:
    sizes, values = _sizes_and_values(line)
    if len(set(sizes)) < _FEWEST_TO_FIT:
        return ""
    try:
        law, straight = power_law(sizes, values), linear_fit(sizes, values)
    except CnbenchError:
        return ""
    if not law.exponent.bounded:
        return ""
    slope = straight.per_unit
    text = minus(
        f"{shorten(line.mode)} grows with exponent {law.exponent.estimate:.2f} "
        f"(95 % interval {law.exponent.low:.2f} to {law.exponent.high:.2f}), or by "
        f"{_quantity(slope.estimate, line)} a service ({_range(slope, line)})"
    )
    misfit = min(law.misfit, straight.misfit)
    if misfit > _GOOD_FIT:
        text += f"; neither fits well: a median lies {misfit:.0%} off"
    return text + "."


def _sizes_and_values(line: ServiceLine) -> tuple[list[float], list[list[float]]]:
    return [size for size, _, _ in line.points], [list(row.values) for _, _, row in line.points]


def _quantity(value: float, line: ServiceLine) -> str:
    return format_quantity(value, line.points[0][2].unit)


def _range(interval: Interval, line: ServiceLine) -> str:
    return span(_quantity(interval.low, line), _quantity(interval.high, line))
