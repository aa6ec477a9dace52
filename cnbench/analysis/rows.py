"""A run as flat rows, one a case and metric: what tables, the report and ``--json`` show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cnbench.core.case import Case
from cnbench.core.metric import ClockName, Metric
from cnbench.core.proof import Proof
from cnbench.core.run import CaseResult, Run, Sample
from cnbench.stats.intervals import Interval, median_interval
from cnbench.stats.noise import noise_floor
from cnbench.stats.paired import paired_effect


@dataclass(frozen=True)
class Row:
    """One metric of one case.

    Attributes:
        case: the point and where it was measured.
        kernel: the kernel's release.
        metric: what was measured.
        values: one observation a block, in base units, in the order of the blocks.
        interval: the median and its 95 % interval; None without samples.
        noise: the noise floor of the case's group: relative for a ratio metric, else in the
            metric's unit; None where the group has no A/A' pair.
        disturbed: samples used although they were disturbed.
        replaced: samples that were disturbed and measured again.
        status: ``ok``, ``unsupported`` or ``failed``.
        reason: why it is not ok.
        remedy: what to do about that.
        proof: the evidence.
    """

    case: Case
    kernel: str
    metric: Metric
    values: tuple[float, ...]
    interval: Interval | None
    noise: float | None
    disturbed: int
    replaced: int
    status: str
    reason: str
    remedy: str
    proof: Proof

    @property
    def unit(self) -> str:
        """The unit of the values on the clock that they were taken with."""
        return self.metric.unit_on(self.clock)

    @property
    def clock(self) -> ClockName:
        """The clock of the case."""
        return self.case.clock

    def as_json(self) -> dict[str, Any]:
        """The row as ``--json`` prints it; what has no bound is null."""
        interval = self.interval
        return {
            "experiment": self.case.experiment,
            "params": dict(self.case.params),
            "metric": self.metric.name,
            "unit": self.unit,
            "better": self.metric.better,
            "lab": self.case.lab,
            "clock": self.clock,
            "kernel": self.kernel,
            "n": len(self.values),
            "median": finite(interval.estimate) if interval else None,
            "low": finite(interval.low) if interval else None,
            "high": finite(interval.high) if interval else None,
            "noise": finite(self.noise),
            "status": self.status,
            "reason": self.reason,
            "remedy": self.remedy,
            "proof": asdict(self.proof) | {"holds": self.proof.holds},
        }


def rows_of(run: Run) -> list[Row]:
    """The rows of a run, in the order of its cases, each with its experiment's metrics in order."""
    noise = _noise_floors(run)
    return [
        _row(run, result, metric, noise)
        for result in run.cases
        for metric in metrics_of(run, result)
    ]


def metrics_of(run: Run, result: CaseResult) -> list[Metric]:
    """The metrics that a case has, the headline first; all of its experiment's without samples."""
    metrics = run.experiments[result.case.experiment].metrics
    given = result.samples[0].values if result.samples else {m.name: 0.0 for m in metrics}
    return [metric for metric in metrics if metric.name in given]


def finite(value: float | None) -> float | None:
    """``value``, or None where it is not a number that JSON can hold."""
    return value if value is not None and math.isfinite(value) else None


def values_by_block(samples: tuple[Sample, ...], metric: str) -> dict[int, float]:
    """The value that counts in each block."""
    return {s.block: s.values[metric] for s in samples if not s.replaced}


def values_in_pairs(
    one: tuple[Sample, ...], other: tuple[Sample, ...], metric: str
) -> tuple[list[float], list[float]]:
    """The values of two cases that shared their blocks, in the blocks that have both."""
    first, second = values_by_block(one, metric), values_by_block(other, metric)
    both = sorted(first.keys() & second.keys())
    return [first[block] for block in both], [second[block] for block in both]


def _row(
    run: Run, result: CaseResult, metric: Metric, noise: Mapping[tuple[int, str], float]
) -> Row:
    environment = run.fingerprints.get(result.fingerprint)
    # Without proof there is no result: what a failed case measured stays in the run file alone.
    samples = result.samples if result.status == "ok" else ()
    values = tuple(values_by_block(samples, metric.name).values())
    return Row(
        case=result.case,
        kernel=environment.kernel if environment else "",
        metric=metric,
        values=values,
        interval=median_interval(values) if values else None,
        noise=noise.get((result.group, metric.name)),
        disturbed=sum(bool(s.disturbances) and not s.replaced for s in samples),
        replaced=sum(s.replaced for s in samples),
        status=result.status,
        reason=result.reason,
        remedy=result.remedy,
        proof=result.proof,
    )


def _noise_floors(run: Run) -> dict[tuple[int, str], float]:
    """The noise floor of each group and metric, from the case that was measured twice."""
    floors = {}
    for result in run.cases:
        if not result.twin or result.status != "ok":
            continue
        for metric in metrics_of(run, result):
            effect = paired_effect(
                *values_in_pairs(result.samples, result.twin, metric.name),
                scale=metric.scale,
                better=metric.better,
            )
            floors[result.group, metric.name] = noise_floor(effect, scale=metric.scale)
    return floors
