"""A run as OpenMetrics 1.0: a gauge for the median of each metric, and for what is known of it.

``cnbench_EXPERIMENT_METRIC_UNIT`` is the median, ``…_low_UNIT`` and ``…_high_UNIT`` its 95 %
interval, ``…_blocks`` the blocks it rests on; a label for each parameter, the lab, the clock and
the kernel. What has no bound is +Inf or -Inf.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from cnbench.analysis.rows import Row, rows_of
from cnbench.core.run import Run
from cnbench.stats.intervals import Interval

BEGINS: bytes | None = b"# TYPE cnbench_"
BINARY = False

_UNITS = {
    "s": "seconds",
    "B": "bytes",
    "B/s": "bytes_per_second",
    "s/B": "seconds_per_byte",
    "instructions": "instructions",
    "instructions/B": "instructions_per_byte",
    "B/instructions": "bytes_per_instruction",
    "virtual ns": "virtual_nanoseconds",
    "1": "ratio",
    "": "",
}


@dataclass
class _Family:
    """The samples of one name."""

    help: str
    unit: str
    samples: list[str] = field(default_factory=list)


def exported(run: Run) -> tuple[bytes, list[str]]:
    """See ``export.Format``."""
    families: dict[str, _Family] = {}
    for row in rows_of(run):
        if row.interval:
            for part, unit, told, value in _figures(row, row.interval):
                name = _name(row, part, unit)
                family = families.setdefault(name, _Family(told, unit))
                family.samples.append(f"{name}{_labels(run, row)} {_number(value)}")
    statuses = Counter(result.status for result in run.cases)
    families["cnbench_cases"] = _Family("Cases by how they ended.", "", [
        f'cnbench_cases{{run="{_escaped(run.id)}",status="{status}"}} {count}'
        for status, count in statuses.items()
    ])  # fmt: skip
    lines = [line for name, family in families.items() for line in _lines(name, family)]
    return ("\n".join([*lines, "# EOF"]) + "\n").encode("utf-8", errors="replace"), []


def _figures(row: Row, interval: Interval) -> Iterator[tuple[str, str, str, float]]:
    unit = _UNITS[row.unit]
    what = f"{row.case.experiment}: {row.metric.summary}"
    yield "", unit, f"{what}; the median.", interval.estimate
    yield "low", unit, f"{what}; the lower end of the 95 % interval.", interval.low
    yield "high", unit, f"{what}; the upper end of the 95 % interval.", interval.high
    yield "blocks", "", f"{what}; blocks that the median is of.", row.blocks


def _name(row: Row, part: str, unit: str) -> str:
    parts = ("cnbench", row.case.experiment, row.metric.name, part, unit)
    return re.sub(r"[^a-zA-Z0-9_]", "_", "_".join(filter(None, parts)))


def _labels(run: Run, row: Row) -> str:
    labels = {
        "run": run.id,
        "lab": row.case.lab,
        "clock": row.clock,
        "kernel": row.kernel,
        **{f"param_{name}": str(value) for name, value in row.case.params.items()},
    }
    pairs = (
        f'{re.sub(r"[^a-zA-Z0-9_]", "_", name)}="{_escaped(value)}"'
        for name, value in labels.items()
    )
    return "{" + ",".join(pairs) + "}"


def _lines(name: str, family: _Family) -> Iterator[str]:
    yield f"# TYPE {name} gauge"
    if family.unit:
        yield f"# UNIT {name} {family.unit}"
    yield f"# HELP {name} {_escaped(family.help)}"
    yield from family.samples


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
