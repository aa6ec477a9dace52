"""A fleet in words: what a terminal and a page say alike."""

from __future__ import annotations

from collections.abc import Sequence

from cnbench.analysis.fleet.across import Across
from cnbench.analysis.fleet.fleet import Fleet, OddNode
from cnbench.analysis.number_format import NO_BOUND, minus, span
from cnbench.analysis.number_format import value_text as parameter_text
from cnbench.core.units import FRACTION, format_count, format_quantity
from cnbench.stats.nodes.in_common import Shared

# More facts beside each other are no help to whoever reads them.
_MOST_FACTS = 4
# The page has them all.
_MOST_NAMES = 12


def labels_of(fleet: Fleet) -> dict[int, str]:
    """What tells each of the fleet's rows from the others, by the row's place."""
    units = {
        name: record.parameters
        for node in fleet.nodes
        for run in node.runs
        for name, record in run.experiments.items()
    }
    found = {}
    for place, row in enumerate(fleet.rows):
        params = row.case.params
        alike = [other for other in fleet.rows if other.case.experiment == row.case.experiment]
        varying = [n for n in params if any(o.case.params.get(n) != params[n] for o in alike)]
        where = row.case.where if any(o.case.where != row.case.where for o in alike) else ()
        of = units[row.case.experiment]
        values = [f"{name}={parameter_text(params[name], of[name])}" for name in varying]
        found[place] = " ".join([row.case.experiment, *values, *where])
    return found


def value_text(row: Across, on_differences: float) -> str:
    """A value on the scale of differences, in the metric's unit."""
    return minus(row.metric.show(row.value(on_differences), row.case.clock))


def interval_text(row: Across) -> str:
    """The interval over nodes of the typical one."""
    typical = row.between.typical
    if not typical.bounded:
        return NO_BOUND
    return span(value_text(row, typical.low), value_text(row, typical.high))


def deviation_text(row: Across, deviation: float | None) -> str:
    """A standard deviation, as a share of the value for a ratio."""
    if deviation is None:
        return "unknown"
    unit = FRACTION if row.metric.scale == "ratio" else row.metric.unit_on(row.case.clock)
    return format_quantity(row.change(deviation), unit)


def share_text(share: float | None) -> str:
    """How much worse, as a signed share."""
    return "–" if share is None else minus(format_quantity(share, FRACTION, signed=True))


def summary(fleet: Fleet) -> list[str]:
    """What a report begins with: how many there are, who is odd, and what those have in common."""
    runs = sum(len(node.runs) for node in fleet.nodes)
    said = [
        f"{format_count(len(fleet.nodes), 'node')} of {format_count(len(fleet.kinds), 'kind')}, "
        f"{format_count(runs, 'run')}, {format_count(len(fleet.rows), 'figure')} that nodes share"
    ]
    for side, of, shared in zip(
        ("worse", "better"),
        ([n for n in fleet.odd if n.is_worse], [n for n in fleet.odd if not n.is_worse]),
        fleet.shared,
        strict=True,
    ):
        if of:
            named = [f"{n.name} ({share_text(n.worse)})" for n in of[:_MOST_NAMES]]
            more = [f"and {len(of) - _MOST_NAMES} more"] if len(of) > _MOST_NAMES else []
            told = ", ".join([*named, *more])
            said.append(f"{format_count(len(of), 'node')} {side} than the others: {told}")
            said += [f"in common: {shared_text(each)}" for each in shared]
    return said if fleet.odd else [*said, "no node is odd"]


def shared_text(shared: Shared) -> str:
    """What odd nodes have in common, in a sentence's part."""
    facts = facts_text(shared.facts)
    others = f"{shared.others} of the other {shared.other_nodes}"
    return f"{facts} ({shared.odd} of {shared.odd_nodes}; {others})"


def facts_text(facts: Sequence[tuple[str, str]]) -> str:
    """Facts by name, the first of them."""
    told = [f"{name} {value}" for name, value in facts[:_MOST_FACTS]]
    more = len(facts) - len(told)
    return ", ".join([*told, f"and {more} more"] if more else told)


def where_text(node: OddNode, labels: Sequence[str]) -> str:
    """Where a node is odd: the first of the figures, or all cases together."""
    if not labels:
        return "over all cases"
    return labels[0] + (f" and {len(labels) - 1} more" if len(labels) > 1 else "")


def caution(fleet: Fleet) -> str:
    """What must be said of the rate of false alarms; empty where nothing must."""
    if fleet.normal:
        return ""
    return (
        "The other nodes do not differ normally (Shapiro & Wilk): a sound node is named more often"
        f" than {format_quantity(fleet.rate, FRACTION)} of the time."
    )
