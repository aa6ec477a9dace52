"""What a run's values can be: a file may be another's, an older cnbench's, or damaged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from cnbench.core.case import Case
from cnbench.core.errors import CnbenchError
from cnbench.core.metric import Metric
from cnbench.core.parameter import Value
from cnbench.core.run import CaseResult, ExperimentRecord, Run, Sample
from cnbench.core.units import COUNT, known_units

# Seconds, bytes and counts beyond this (or, as ratios, below its inverse) are no machine's, and
# statistics square what they are given.
LARGEST = 1e30


def check_run(run: Run) -> None:
    """Refuse a run with values that its own metrics or parameters could not have.

    Raises:
        CnbenchError: it has such a value; the message says where.
    """
    for name, record in run.experiments.items():
        strange = set(record.parameters.values()) - set(known_units())
        if strange:
            raise CnbenchError(f"a parameter of {name} has the unit '{strange.pop()}'")
    for result in run.cases:
        known = run.experiments.get(result.case.experiment)
        if known is None:
            raise CnbenchError(f"it has a case of {result.case.experiment}, but not its metrics")
        check_case(result, known)


def check_case(result: CaseResult, record: ExperimentRecord) -> None:
    """Refuse a case that ``record``, what its file says of the experiment, does not explain.

    Raises:
        CnbenchError: it has a value that is none of its metrics' or parameters'.
    """
    _check_params(result.case, record.parameters)
    _check_size(f"the set-up of {result.case.point}", [result.setup])
    metrics = {metric.name: metric for metric in record.metrics}
    samples = (*result.samples, *result.twin)
    for sample in samples:
        if sample.values.keys() != samples[0].values.keys():
            raise CnbenchError(f"the samples of {result.case.point} differ in their metrics")
        _check_sample(sample, result.case.point, metrics)


def _check_params(case: Case, units: Mapping[str, str]) -> None:
    if case.params.keys() != units.keys():
        raise CnbenchError(f"{case.point} has not the parameters of its experiment")
    for name, value in case.params.items():
        if isinstance(value, str):
            if units[name] != COUNT:
                raise CnbenchError(f"{case.point}: {name} is a text, not a number of {units[name]}")
        else:
            _check_size(f"{name} of {case.point}", [value])


def _check_sample(sample: Sample, point: str, metrics: Mapping[str, Metric]) -> None:
    if not sample.values or not sample.values.keys() <= metrics.keys():
        raise CnbenchError(f"a sample of {point} has a metric it explains not")
    for name, value in sample.values.items():
        metrics[name].check(value)
        if metrics[name].scale == "ratio" and value < 1 / LARGEST:
            raise CnbenchError(f"{name} of {point} is {value}, which nothing here can be")
    times = (sample.started, sample.duration)
    _check_size(f"a sample of {point}", [*sample.values.values(), *times, *sample.witness.values()])


def _check_size(where: str, values: Iterable[Value]) -> None:
    for value in values:
        if not isinstance(value, str) and not (math.isfinite(value) and abs(value) <= LARGEST):
            raise CnbenchError(f"{where} has the number {value}, which nothing here can be")
