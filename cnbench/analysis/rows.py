"""A run as flat rows, one a case and metric: what tables, the report and ``--json`` show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from cnbench.analysis.observed import blocks_in, in_shared_blocks, observed, values_by_block
from cnbench.core.case import Case
from cnbench.core.metric import ClockName, Metric
from cnbench.core.proof import Proof
from cnbench.core.run import CaseResult, Run, Sample
from cnbench.stats.arrays import Floats
from cnbench.stats.effects import effect_in_blocks
from cnbench.stats.intervals import Interval
from cnbench.stats.level import Level, level_on_scale
from cnbench.stats.noise import noise_floor, scaled_floor
from cnbench.store.columns import columns_of


@dataclass(frozen=True)
class Row:
    """One metric of one case.

    Attributes:
        case: the point and where it was measured.
        kernel: the kernel's release.
        metric: what was measured.
        blocks: how many blocks have a sample that counts.
        samples: those of the case, which ``values`` are taken from.
        interval: the median and its 95 % interval; None without samples.
        level: that, and what it rests on; None without samples.
        noise: the noise floor: relative for a ratio metric, else in the metric's unit; the case's
            own if it was measured twice, else its group's, by how much better or worse it is known
            than the case that was; None where the group has no A/A' pair.
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
    blocks: int
    samples: Sequence[Sample]
    interval: Interval | None
    level: Level | None
    noise: float | None
    disturbed: int
    replaced: int
    status: str
    reason: str
    remedy: str
    proof: Proof

    @property
    def values(self) -> Floats:
        """One observation a block, shape (blocks,), in base units, in the order of the blocks."""
        return values_by_block(self.samples, self.metric.name) if self.blocks else np.array([])

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
            "n": self.blocks,
            "median": finite(interval.estimate) if interval else None,
            "low": finite(interval.low) if interval else None,
            "high": finite(interval.high) if interval else None,
            "noise": finite(self.noise),
            "drawn": self.level.unit if self.level else None,
            "units": self.level.units if self.level else None,
            "autocorrelation": self.level.autocorrelation if self.level else None,
            "status": self.status,
            "reason": self.reason,
            "remedy": self.remedy,
            "proof": asdict(self.proof) | {"holds": self.proof.holds},
        }


def rows_of(run: Run) -> list[Row]:
    """The rows of a run, in the order of its groups, each with its experiment's metrics in order.

    Cases are kept in the order in which they ended, which where several guests run at once is not
    that of the plan.
    """
    levels = {
        (result.case.key, metric.name): _level(result, metric)
        for result in run.cases
        if measured(result)
        for metric in metrics_of(run, result)
    }
    noise = _noise_floors(run, levels)
    return [
        _row(run, result, metric, levels.get((result.case.key, metric.name)), noise)
        for result in sorted(run.cases, key=lambda result: result.group)
        for metric in metrics_of(run, result)
    ]


def rows_by_name(run: Run) -> dict[tuple[str, str], Row]:
    """The rows of a run by the key of their case and the name of their metric."""
    return {(row.case.key, row.metric.name): row for row in rows_of(run)}


def measured(result: CaseResult) -> bool:
    """Whether a case has values.

    Without proof there is no result: what a failed case measured stays in the run file alone.
    """
    return result.status == "ok" and bool(columns_of(result.samples).used.any())


def metrics_of(run: Run, result: CaseResult) -> list[Metric]:
    """The metrics that a case has, the headline first; all of its experiment's without samples."""
    metrics = run.experiments[result.case.experiment].metrics
    if not result.samples:
        return list(metrics)
    given = columns_of(result.samples).metrics
    return [metric for metric in metrics if metric.name in given]


def finite(value: float | None) -> float | None:
    """``value``, or None where it is not a number that JSON can hold."""
    return value if value is not None and math.isfinite(value) else None


def _level(result: CaseResult, metric: Metric) -> Level:
    """The level of a metric; Student's t knows nothing of where a share ends."""
    level = level_on_scale(observed(result.samples, metric), scale=metric.scale)
    return replace(level, interval=level.interval.map(metric.possible)) if metric.share else level


_Levels = Mapping[tuple[str, str], Level]


def _row(
    run: Run,
    result: CaseResult,
    metric: Metric,
    level: Level | None,
    noise: Mapping[tuple[str, str], float],
) -> Row:
    environment = run.fingerprints.get(result.fingerprint)
    samples = columns_of(result.samples if level else ())
    used, disturbed = samples.used, samples.disturbed
    return Row(
        case=result.case,
        kernel=environment.kernel if environment else "",
        metric=metric,
        blocks=blocks_in(samples),
        samples=samples,
        interval=level.interval if level else None,
        level=level,
        noise=noise.get((result.case.key, metric.name)),
        disturbed=int((disturbed & used).sum()),
        replaced=int((~used).sum()),
        status=result.status,
        reason=result.reason,
        remedy=result.remedy,
        proof=result.proof,
    )


def _noise_floors(run: Run, levels: _Levels) -> dict[tuple[str, str], float]:
    """The noise floor of each case and metric, by the case of its group that was measured twice."""
    floors: dict[tuple[str, str], float] = {}
    groups: dict[int, list[CaseResult]] = {}
    for result in run.cases:
        groups.setdefault(result.group, []).append(result)
    for results in groups.values():
        twins = [result for result in results if result.twin and result.status == "ok"]
        for reference in twins[:1]:
            for metric in metrics_of(run, reference):
                floors |= _floors_like(reference, results, metric, levels)
    return floors


def _floors_like(
    reference: CaseResult, results: Sequence[CaseResult], metric: Metric, levels: _Levels
) -> dict[tuple[str, str], float]:
    effect = effect_in_blocks(*in_shared_blocks((reference.samples, reference.twin), metric))
    floor = noise_floor(effect.on(metric.scale), scale=metric.scale)
    measured = levels[reference.case.key, metric.name].interval
    return {
        key: scaled_floor(floor, measured, levels[key].interval, scale=metric.scale)
        for result in results
        if (key := (result.case.key, metric.name)) in levels
    }
