"""What runs of one environment differ by: the centres of earlier ones, case by case."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnbench.analysis.observed import observed_differences
from cnbench.analysis.rows import measured
from cnbench.core.case import Case
from cnbench.core.fingerprint import Fingerprint, differences
from cnbench.core.metric import Metric
from cnbench.core.run import CaseResult, Run, Sample
from cnbench.stats.arrays import Floats
from cnbench.store.columns import columns_of

# What a machine was like long ago says little of what it is like now.
MOST_RUNS = 20


@dataclass(frozen=True)
class Centres:
    """Where earlier runs of one case lie, on the scale of differences.

    Attributes:
        every: of each repeat as of a run, shape (runs,).
        repeated: of each run that has several repeats, those of these by themselves.
    """

    every: Floats
    repeated: Sequence[Floats]


NO_CENTRES = Centres(np.array([]), ())


class EarlierRuns:
    """Runs of any environment, oldest first; of each case the latest ``MOST_RUNS`` count."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._results: dict[str, list[tuple[Fingerprint | None, CaseResult]]] = {}
        for run in runs:
            for result in filter(measured, run.cases):
                known = self._results.setdefault(result.case.point, [])
                known.append((run.fingerprints.get(result.fingerprint), result))

    def centres(self, environment: Fingerprint | None, case: Case, metric: Metric) -> Centres:
        """The centres of a case's ``metric`` in runs of ``environment``; of an unknown one none."""
        if environment is None:
            return NO_CENTRES
        by_run = [
            np.array([run.centre() for run in observed_differences(samples, metric).by_run])
            for samples in self._like(environment, case, metric)
        ]
        repeated = [repeats for repeats in by_run if repeats.size > 1]
        every = np.array([*itertools.chain.from_iterable(by_run)][-MOST_RUNS:])
        return Centres(every, repeated[-MOST_RUNS:])

    def _like(self, environment: Fingerprint, case: Case, metric: Metric) -> list[Sequence[Sample]]:
        return [
            result.samples
            for measured_in, result in self._results.get(case.point, [])
            if metric.name in columns_of(result.samples).metrics
            and same_environment(measured_in, environment)
        ]


def same_environment(one: Fingerprint | None, other: Fingerprint) -> bool:
    """Whether nothing in them could explain a difference."""
    return one is not None and not any(d.essential for d in differences(one, other))
