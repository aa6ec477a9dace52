"""One metric of one case over the nodes that have it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnbench.analysis.fleet.nodes import Node
from cnbench.analysis.observed import observed_differences
from cnbench.analysis.rows import finite, measured, metrics_of
from cnbench.core.case import Case
from cnbench.core.metric import Metric
from cnbench.core.run import CaseResult
from cnbench.stats.arrays import Floats
from cnbench.stats.intervals import Interval, mean_interval
from cnbench.stats.level import level_of
from cnbench.stats.nodes.between import Between, between, from_own_kind, standard_error
from cnbench.stats.nodes.odd import Flags, look_normal, odd_ones
from cnbench.stats.observations import Observations

# In standard errors: nineteen of twenty are no further from the truth.
_WITHIN = 1.96


@dataclass(frozen=True)
class Across:
    """A metric of a case, a value a node.

    Attributes:
        case: which.
        metric: of its values.
        names: the nodes that have it, in the order of what follows.
        known: each node's centre with its own interval, on the scale of differences.
        errors: the standard error of each centre; None where nothing tells.
        distances: from the centre of the node's kind, shape (n,), likewise.
        odd: who is odd, shape (n,).
        between: what the others differ by.
        normal: whether they look normally distributed, which the rate of false alarms is for.
    """

    case: Case
    metric: Metric
    names: tuple[str, ...]
    known: tuple[Interval, ...]
    errors: tuple[float | None, ...]
    distances: Floats
    odd: Flags
    between: Between
    normal: bool

    @property
    def worse(self) -> Floats:
        """How much worse each node is, shape (n,): the distances, where more is worse."""
        return -self.distances if self.metric.better == "higher" else self.distances

    def value(self, on_differences: float) -> float:
        """A value on the scale of differences in the metric's unit; of a ``zero`` one its size."""
        return math.exp(on_differences) if self.metric.scale == "ratio" else on_differences

    def change(self, distance: float) -> float:
        """A distance as a share of the typical value, or in the metric's unit."""
        return math.expm1(distance) if self.metric.scale == "ratio" else distance

    def quantiles(self) -> tuple[float, ...]:
        """Least, 5 %, quarter, half, three quarters, 95 %, most; in the metric's unit."""
        centres = [interval.estimate for interval in self.known]
        found = np.quantile(centres, (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1))
        return tuple(self.value(float(each)) for each in found)

    def as_json(self) -> dict[str, Any]:
        """As ``cnbench fleet report --json`` prints it; what has no bound is null."""
        typical = self.between.typical
        return {
            "experiment": self.case.experiment,
            "params": dict(self.case.params),
            "lab": self.case.lab,
            "clock": self.case.clock,
            "metric": self.metric.name,
            "unit": self.metric.unit_on(self.case.clock),
            "nodes": len(self.names),
            "median": self.value(typical.estimate),
            "low": finite(self.value(typical.low)) if typical.bounded else None,
            "high": finite(self.value(typical.high)) if typical.bounded else None,
            "between_nodes": _or_none(self.between.nodes, self),
            "within_a_node": _or_none(self.between.inside, self),
            "quantiles": self.quantiles(),
            "odd": [name for name, odd in zip(self.names, self.odd, strict=True) if odd],
            "normal": self.normal,
        }


def across(
    nodes: Sequence[Node], kinds: Mapping[str, int], rate: float, *, every_metric: bool = False
) -> list[Across]:
    """Every case's headline metric (or ``every_metric``) that two nodes and more have.

    ``kinds`` has the number of each node's kind; ``rate`` is the chance that all of this names any
    node where all are alike, shared out evenly.
    """
    found = _results(nodes, every_metric)
    several = {key: of for key, of in found.items() if len(of[2]) > 1}
    each = rate / max(1, len(several) + 1)  # and the one over all cases
    return [_across(case, metric, of, kinds, each) for case, metric, of in several.values()]


def odd_over_all(rows: Sequence[Across], rate: float) -> tuple[dict[str, float], set[str]]:
    """How much worse each node is over all cases (logarithms), and which are odd by that.

    A node that is slower by little, in all cases alike, is odd in none of them.
    """
    shares: dict[str, list[tuple[float, float | None]]] = {}
    compared = [row for row in rows if row.metric.scale == "ratio"]
    for row in compared:
        for name, worse, error in zip(row.names, row.worse, row.errors, strict=True):
            shares.setdefault(name, []).append((float(worse), error))
    means = {name: sum(worse for worse, _ in of) / len(of) for name, of in shares.items()}
    if len(compared) < 2:
        return means, set()
    odd = odd_ones(np.array(list(means.values())), rate / (len(rows) + 1))
    named = {name for name, is_odd in zip(means, odd, strict=True) if is_odd}
    return means, {n for n in named if abs(means[n]) > _WITHIN * _error_of_mean(shares[n])}


def _error_of_mean(shares: Sequence[tuple[float, float | None]]) -> float:
    """The standard error of a mean of figures, each known to its own; infinite if one is not."""
    errors = [math.inf if error is None else error for _, error in shares]
    return math.sqrt(sum(error**2 for error in errors)) / len(errors)


_Results = tuple[Case, Metric, dict[str, list[CaseResult]]]


def _results(nodes: Sequence[Node], every_metric: bool) -> dict[tuple[str, str], _Results]:
    found: dict[tuple[str, str], _Results] = {}
    for node in nodes:
        for result, metric in _measured(node, every_metric):
            key = (result.case.key, metric.name)
            of = found.setdefault(key, (result.case, metric, {}))[2]
            of.setdefault(node.name, []).append(result)
    return found


def _measured(node: Node, every_metric: bool) -> Iterator[tuple[CaseResult, Metric]]:
    for run in node.runs:
        for result in filter(measured, run.cases):
            metrics = metrics_of(run, result)
            for metric in metrics if every_metric else metrics[:1]:
                yield result, metric


def _across(
    case: Case,
    metric: Metric,
    of: Mapping[str, Sequence[CaseResult]],
    kinds: Mapping[str, int],
    rate: float,
) -> Across:
    observed = [_runs(results, metric) for results in of.values()]
    known = [_centre(runs) for runs in observed]
    centres = np.array([interval.estimate for interval in known])
    distances = from_own_kind(centres, [kinds[name] for name in of])
    odd = odd_ones(distances, rate) & _apart(known, centres - distances)
    errors = tuple(standard_error(runs) for runs in observed)
    others = [errors[at] for at in np.flatnonzero(~odd)]
    return Across(
        case, metric, tuple(of), tuple(known), errors, distances, odd,
        between(centres[~odd], others), look_normal(distances[~odd]),
    )  # fmt: skip


def _runs(results: Sequence[CaseResult], metric: Metric) -> list[Observations]:
    return [run for each in results for run in observed_differences(each.samples, metric).by_run]


def _centre(runs: Sequence[Observations]) -> Interval:
    """A node's centre, on the scale of differences: the mean of its runs', or its only run's."""
    if len(runs) > 1:
        return mean_interval(np.array([run.centre() for run in runs]))
    return level_of(runs[0]).interval


def _apart(known: Sequence[Interval], centres: Floats) -> Flags:
    """Whose own interval leaves out the centre of its kind: no other is known to be odd."""
    return np.array(
        [
            bool(interval.low > centre or interval.high < centre)
            for interval, centre in zip(known, centres, strict=True)
        ]
    )


def _or_none(deviation: float | None, row: Across) -> float | None:
    return None if deviation is None else finite(row.change(deviation))
