"""The lines of service-routing: one mode and position over the services, and how it grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnbench.core.errors import CnbenchError
from cnbench.core.units import format_quantity
from cnbench.report.rows import Row
from cnbench.report.selection import Measured, shorten
from cnbench.report.words import minus, span
from cnbench.stats.scaling import linear_fit, power_law

METRIC = "connect"
_FEWEST_TO_FIT = 3
# Beyond this distance from the law an exponent is a description, not a law.
_GOOD_FIT = 0.1


@dataclass(frozen=True)
class Line:
    """One mode and position over the numbers of services; the points are in rising order."""

    mode: str
    position: str
    points: tuple[tuple[float, Measured, Row], ...]


def lines_of(measured: Sequence[Measured]) -> list[Line]:
    """The lines of one setting; one that would hold a single service alone is left out."""
    points: dict[tuple[str, str], list[tuple[float, Measured, Row]]] = {}
    for one in measured:
        row = one.row(METRIC)
        if row is None:
            continue
        params = one.case.params
        services, position = float(params["services"]), str(params["position"])
        # With one service, the first is the last as well: all lines through the rules begin there.
        positions = (
            ("first", "middle", "last") if services == 1 and position == "first" else (position,)
        )
        for each in positions:
            points.setdefault((str(params["mode"]), each), []).append((services, one, row))
    return [
        Line(mode, position, tuple(sorted(ones, key=lambda point: point[0])))
        for (mode, position), ones in points.items()
        if any(one.case.params["position"] == position for _, one, _ in ones)
    ]


def growth_of(lines: Sequence[Line]) -> list[str]:
    """How each mode's cost of the last service grows, where there are sizes enough to say."""
    return [sentence for line in lines if line.position == "last" and (sentence := _fit(line))]


def _fit(line: Line) -> str:
    sizes = [size for size, _, _ in line.points]
    if len(set(sizes)) < _FEWEST_TO_FIT:
        return ""
    values = [row.values for _, _, row in line.points]
    try:
        law, straight = power_law(sizes, values), linear_fit(sizes, values)
    except CnbenchError:
        return ""
    if not law.exponent.bounded:
        return ""
    unit = line.points[0][2].unit
    slope = straight.per_unit
    per_service = span(format_quantity(slope.low, unit), format_quantity(slope.high, unit))
    text = minus(
        f"{shorten(line.mode)}, last service: grows with exponent {law.exponent.estimate:.2f} "
        f"(95 % interval {law.exponent.low:.2f} to {law.exponent.high:.2f}), or by "
        f"{format_quantity(slope.estimate, unit)} a service ({per_service})"
    )
    misfit = min(law.misfit, straight.misfit)
    if misfit > _GOOD_FIT:
        text += f"; neither fits well: a median lies {misfit:.0%} off"
    return text + "."
