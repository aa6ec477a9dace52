"""The cost of each case from run to run, as a folder of runs has it, and the steps in it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cnbench.analysis.choice import ALL, Choice, written
from cnbench.analysis.earlier_runs import same_environment
from cnbench.analysis.kernel_series import out_of_line_of, steps_of
from cnbench.analysis.rows import Row, finite, rows_of
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.metric import Metric
from cnbench.core.run import Run
from cnbench.stats.changepoint import Step


@dataclass(frozen=True)
class Trend:
    """One metric of one case, run by run, in one environment.

    Attributes:
        runs: those that measured it, oldest first.
        rows: the metric's row of each.
        steps: where the cost changed, the index of each one into ``runs``; None where that cannot
            be said: a median has no interval, or its noise is unknown.
        out_of_line: single runs that lie off the level around them; on the wall clock alone.
    """

    runs: tuple[Run, ...]
    rows: tuple[Row, ...]
    steps: tuple[Step, ...] | None
    out_of_line: tuple[int, ...]

    @property
    def metric(self) -> Metric:
        """What was measured."""
        return self.rows[0].metric

    @property
    def label(self) -> str:
        """The case as one line."""
        case = self.rows[-1].case
        return written(case, self.runs[-1].experiments[case.experiment].parameters)

    @property
    def change(self) -> float:
        """The last median against the first: a ratio less one, or a difference."""
        first, last = (self.medians[0], self.medians[-1])
        return last / first - 1 if self.metric.scale == "ratio" else last - first

    @property
    def medians(self) -> list[float]:
        """The medians, in base units."""
        return [row.interval.estimate if row.interval else math.nan for row in self.rows]

    def as_json(self) -> dict[str, Any]:
        """The trend for ``--json``, in base units."""
        case = self.rows[0].case
        return {
            "experiment": case.experiment,
            "params": dict(case.params),
            "metric": self.metric.name,
            "unit": self.rows[0].unit,
            "where": list(case.where),
            "change": finite(self.change),
            "runs": [
                {
                    "run": run.id,
                    "started": run.started,
                    "median": finite(row.interval.estimate) if row.interval else None,
                    "low": finite(row.interval.low) if row.interval else None,
                    "high": finite(row.interval.high) if row.interval else None,
                }
                for run, row in zip(self.runs, self.rows, strict=True)
            ],
            "steps": None
            if self.steps is None
            else [
                {"run": self.runs[step.index].id, "effect": finite(step.effect.estimate)}
                for step in self.steps
            ],
            "out_of_line": [self.runs[index].id for index in self.out_of_line],
        }


def trends_of(runs: Iterable[Run], choice: Choice = ALL) -> list[Trend]:
    """What two runs or more have measured in one environment, what has changed most first.

    Args:
        runs: oldest first.
        choice: which cases and metrics.
    """
    places: dict[tuple[str, str, int], list[tuple[Run, Row]]] = {}
    environments: list[Fingerprint] = []
    for run in runs:
        for row, environment in _measured(run, choice, environments):
            place = (row.case.key, row.metric.name, environment)
            places.setdefault(place, []).append((run, row))
    trends = [_trend(found) for found in places.values() if len(found) > 1]
    return sorted(trends, key=_place)


def _measured(
    run: Run, choice: Choice, environments: list[Fingerprint]
) -> Iterator[tuple[Row, int]]:
    """The chosen rows of ``run`` with values, and which of the ``environments`` each is of."""
    chosen = {result.case.key: result.fingerprint for result in choice.of(run).cases}
    for row in rows_of(run):
        found = run.fingerprints.get(chosen.get(row.case.key, ""))
        if found is not None and row.interval is not None and choice.wants(row.metric):
            yield row, _number_of(found, environments)


def _number_of(environment: Fingerprint, known: list[Fingerprint]) -> int:
    """Which of those ``known`` nothing sets it apart from; it is added where there is none."""
    for number, other in enumerate(known):
        if same_environment(other, environment):
            return number
    known.append(environment)
    return len(known) - 1


def _trend(found: Sequence[tuple[Run, Row]]) -> Trend:
    runs, rows = zip(*found, strict=True)
    return Trend(runs, rows, steps_of(rows), out_of_line_of(rows))


def _place(trend: Trend) -> tuple[str, bool, float]:
    """An experiment's trends together: those that step first, then by how much changed."""
    return (trend.rows[0].case.experiment, not trend.steps, -abs(trend.change))
