"""What this machine's results differ by, experiment by experiment, from runs that were kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from cnbench.analysis.earlier_runs import same_environment
from cnbench.analysis.observed import observed_differences
from cnbench.analysis.rows import finite, measured, metrics_of
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.metric import Metric
from cnbench.core.run import CaseResult, Run
from cnbench.stats.components import Components, components_of
from cnbench.stats.observations import Observations


@dataclass(frozen=True)
class Spread:
    """One metric of one experiment in one environment: medians over its cases.

    ``environment`` is that of the latest of the runs; shares of 1 on the ratio scale, else in the
    metric's unit. What ``find_*`` says is the change that would be found in four of five.
    """

    experiment: str
    metric: Metric
    environment: Fingerprint
    cases: int
    runs: int
    inside: float | None
    between_setups: float | None
    between_runs: float | None
    find_one: float | None
    find_three: float | None

    def as_json(self) -> dict[str, Any]:
        """As ``cnbench noise --json`` prints it."""
        return {
            "experiment": self.experiment,
            "metric": self.metric.name,
            "unit": self.metric.unit,
            "scale": self.metric.scale,
            "lab": self.environment.lab,
            "clock": self.environment.clock,
            "kernel": self.environment.kernel,
            "cases": self.cases,
            "runs": self.runs,
            "within_run": finite(self.inside),
            "between_setups": finite(self.between_setups),
            "between_runs": finite(self.between_runs),
            "finds_with_one_run_a_side": finite(self.find_one),
            "finds_with_three_runs_a_side": finite(self.find_three),
        }


def spreads_of(runs: Sequence[Run]) -> list[Spread]:
    """What ``runs``, oldest first, differ by: a spread for each experiment, metric and environment.

    Repeats of a run are runs. Runs of environments that differ in nothing essential are of one.
    """
    environments: list[Fingerprint] = []
    found: dict[tuple[str, str, int], dict[str, list[Observations]]] = {}
    metrics: dict[tuple[str, str, int], Metric] = {}
    for run in runs:
        for result in filter(measured, run.cases):
            place = _place(environments, run.fingerprints.get(result.fingerprint))
            for metric in metrics_of(run, result) if place is not None else ():
                key = (result.case.experiment, metric.name, place or 0)
                metrics[key] = metric
                cases = found.setdefault(key, {})
                cases.setdefault(result.case.point, []).extend(_runs(result, metric))
    return [
        _spread(key, metrics[key], environments[key[2]], list(cases.values()))
        for key, cases in found.items()
    ]


def _place(environments: list[Fingerprint], found: Fingerprint | None) -> int | None:
    if found is None:
        return None
    for number, known in enumerate(environments):
        if same_environment(known, found):
            environments[number] = found
            return number
    environments.append(found)
    return len(environments) - 1


def _runs(result: CaseResult, metric: Metric) -> list[Observations]:
    return observed_differences(result.samples, metric).by_run


def _spread(
    key: tuple[str, str, int],
    metric: Metric,
    environment: Fingerprint,
    cases: Sequence[Sequence[Observations]],
) -> Spread:
    parts = [components_of(runs) for runs in cases]

    def middle(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        if not known:
            return None
        return math.expm1(median(known)) if metric.scale == "ratio" else median(known)

    def of(name: str) -> float | None:
        return middle([getattr(part, name) for part in parts])

    return Spread(
        key[0], metric, environment, len(parts), max(part.count for part in parts),
        of("inside"), of("setups"), of("runs"), _finds(parts, middle, 1), _finds(parts, middle, 3),
    )  # fmt: skip


def _finds(parts: Sequence[Components], middle: Any, runs: int) -> float | None:
    found: float | None = middle([part.could_find(runs) for part in parts])
    return found
