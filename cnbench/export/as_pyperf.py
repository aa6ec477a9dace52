"""A run as a suite of pyperf: a benchmark for each cost of a case, a run of it for each set-up.

pyperf takes lower as better, knows seconds, bytes and counts, and no value that is not positive.
So a cost that is compared by quotients is exported, and of anything else it is said that it is not.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pyperf

from cnbench.analysis.rows import Row, rows_of
from cnbench.core.errors import UsageError
from cnbench.core.run import Run
from cnbench.store.columns import columns_of

BEGINS: bytes | None = None
BINARY = False

_UNITS = {"s": "second", "B": "byte", "": "integer", "instructions": "integer"}


def exported(run: Run) -> tuple[bytes, list[str]]:
    """See ``export.Format``.

    Values are in seconds, bytes or, for counts and instructions, numbers.

    Raises:
        UsageError: there is no such cost.
    """
    rows = [row for row in rows_of(run) if row.interval]
    costs = [row for row in rows if _is_cost(row)]
    left_out = dict.fromkeys(
        f"{row.case.experiment} {row.metric.name}" for row in rows if not _is_cost(row)
    )
    problems = [f"pyperf has no place for {name}: it is no positive cost" for name in left_out]
    if not costs:
        raise UsageError("no case of this run has a cost that pyperf could read")
    suite = pyperf.BenchmarkSuite([_benchmark(run, row) for row in costs])
    written = io.StringIO()
    suite.dump(written)
    return written.getvalue().encode(), problems


def _is_cost(row: Row) -> bool:
    metric = row.metric
    return metric.better == "lower" and metric.scale == "ratio" and row.unit in _UNITS


def _benchmark(run: Run, row: Row) -> pyperf.Benchmark:
    metadata = {
        "name": f"{row.case.key} {row.metric.name}",
        "unit": _UNITS[row.unit],
        "cnbench_run": run.id,
    }
    return pyperf.Benchmark(
        [pyperf.Run(values, metadata=metadata, collect_metadata=False) for values in _runs(row)]
    )


def _runs(row: Row) -> Iterator[list[float]]:
    """The values that count, set-up by set-up of each repeat."""
    columns = columns_of(row.samples)
    used = columns.used
    values = columns.values(row.metric.name)[used]
    drawn = np.stack([columns.whole("repeat")[used], columns.whole("setup")[used]])
    for setup in np.unique(drawn, axis=1).T:
        yield values[(setup == drawn.T).all(axis=1)].tolist()
