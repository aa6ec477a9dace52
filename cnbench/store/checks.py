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
from cnbench.store.columns import VALUES, WITNESS, Numbers

# Seconds, bytes and counts beyond this (or, as ratios, below its inverse) are no machine's, and
# statistics square what they are given.
LARGEST = 1e30
# No run counts further, and 32 bits hold it.
MOST_BLOCKS = (1 << 31) - 1


def check_run(run: Run) -> None:
    """Refuse a run with values that its own metrics or parameters could not have.

    Raises:
        CnbenchError: it has such a value; the message says where.
    """
    check_experiments(run.experiments)
    for result in run.cases:
        check_case(result, explained(result.case, run.experiments))


def check_experiments(known: Mapping[str, ExperimentRecord]) -> None:
    """Refuse parameters with units that nothing here has; errors as ``check_run``."""
    for name, record in known.items():
        strange = set(record.parameters.values()) - set(known_units())
        if strange:
            raise CnbenchError(f"a parameter of {name} has the unit '{strange.pop()}'")


def explained(case: Case, known: Mapping[str, ExperimentRecord]) -> ExperimentRecord:
    """What a file says of the experiment of ``case``.

    Raises:
        CnbenchError: nothing.
    """
    if case.experiment not in known:
        raise CnbenchError(f"it has a case of {case.experiment}, but not its metrics")
    return known[case.experiment]


def check_column(record: ExperimentRecord, name: str, column: Numbers) -> None:
    """Refuse a column of samples, of any length above 0, that its metric could not have.

    Raises:
        CnbenchError: it has such a value.
    """
    import numpy as np

    if column.typecode != "d":
        return
    values = np.asarray(column)
    if name.startswith(WITNESS):
        values = values[~np.isnan(values)]
    if not values.size:
        return
    # Of all values the two ends are enough, and either is NaN if any is.
    ends = (float(values.min()), float(values.max()))
    metric = next((m for m in record.metrics if VALUES + m.name == name), None)
    for value in ends:
        if metric:
            _check_value(metric, value, name)
        _check_size(name, [value])


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
        _check_value(metrics[name], value, f"{name} of {point}")
    whole = (sample.block, sample.turn, sample.setup or 0, sample.repeat)
    if not all(abs(number) <= MOST_BLOCKS for number in whole):
        raise CnbenchError(f"a sample of {point} has the number {max(whole)}")
    times = (sample.started, sample.duration)
    _check_size(f"a sample of {point}", [*sample.values.values(), *times, *sample.witness.values()])


def _check_value(metric: Metric, value: float, what: str) -> None:
    metric.check(value)
    if metric.scale == "ratio" and value < 1 / LARGEST:
        raise CnbenchError(f"{what} is {value}, which nothing here can be")


def _check_size(where: str, values: Iterable[Value]) -> None:
    for value in values:
        if not isinstance(value, str) and not (math.isfinite(value) and abs(value) <= LARGEST):
            raise CnbenchError(f"{where} has the number {value}, which nothing here can be")
