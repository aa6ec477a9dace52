"""Case results as asv stores them: samples of a cost, of which asv computes its own intervals.

asv takes lower as better, compares by ratios alone, and colours a benchmark by the factor that it
changed by. So a rate is exported as its reciprocal, and what is compared by differences is moved to
where a ratio means something:

- a rate becomes its reciprocal (seconds per GiB instead of bytes per second);
- an additive share becomes 1 + share: from 0 % to 0.1 % is no infinite slow-down;
- a signed share that should vanish becomes 1 + its distance from zero, since both signs are worse.

Nothing that names asv is imported: this runs in asv's own environments too, beside the benchmarks.
"""

from __future__ import annotations

from typing import Any

from cnbench.core.errors import CnbenchError
from cnbench.core.metric import ClockName, Metric
from cnbench.core.run import CaseResult
from cnbench.core.units import FRACTION

_GIBIBYTE = 2.0**30

# Base unit of a cost to asv's unit, and how many of asv's units one base unit is. asv scales the
# axis of `seconds` and `bytes` by itself; a cost per byte is too small a number to be read.
_ASV_UNITS = {
    "s": ("seconds", 1.0),
    "B": ("bytes", 1.0),
    "s/B": ("seconds/GiB", _GIBIBYTE),
    "instructions": ("instructions", 1.0),
    "instructions/B": ("instructions/B", 1.0),
    "virtual ns": ("virtual ns", 1.0),
    "": ("unit", 1.0),  # asv's word for a plain number: its pages show none
}
_RECIPROCAL_UNITS = {"B/s": "s/B", "B/instructions": "instructions/B"}


def cost_unit(metric: Metric, clock: ClockName) -> str:
    """The unit of ``cost(metric, ...)`` on ``clock``, as asv's pages show it.

    Raises:
        CnbenchError: the metric has no cost.
    """
    if _is_offset(metric):
        return f"(1 + |{metric.name}|)" if metric.better == "zero" else f"(1 + {metric.name})"
    return _scale(metric, clock)[0]


def cost(metric: Metric, value: float, clock: ClockName = "wall") -> float:
    """``value`` (base units) as a cost that is lower when better; positive if compared by ratio.

    Raises:
        CnbenchError: the metric has no cost, or could not have this value.
    """
    metric.check(value)
    if _is_offset(metric):
        return 1 + (abs(value) if metric.better == "zero" else value)
    scale = _scale(metric, clock)[1]
    return scale * (1 / value if metric.better == "higher" else value)


def _is_offset(metric: Metric) -> bool:
    return metric.scale == "additive" and metric.unit == FRACTION and metric.better != "higher"


def _scale(metric: Metric, clock: ClockName) -> tuple[str, float]:
    """The unit of this metric's cost in asv, and how many of it one base unit of the cost is."""
    if metric.scale == "additive" and metric.better != "lower":
        raise CnbenchError(
            f"metric {metric.name}: asv has no scale on which its {metric.unit} would be a cost",
            "give it a share of something (unit 1), or make lower better",
        )
    unit = metric.unit_on(clock)
    base = _RECIPROCAL_UNITS.get(unit, f"1/{unit}") if metric.better == "higher" else unit
    return _ASV_UNITS.get(base, (base, 1.0))


def asv_samples(result: CaseResult, metric: Metric) -> dict[str, Any]:
    """What a ``track_*`` method returns for ``metric`` of a case, one cost a block, in their order.

    asv computes a median, quartiles and a 99 % interval of ``samples``; ``number`` is how many
    observations are in each.

    Raises:
        CnbenchError: the case was not measured, for the reason that it says, or has not
            this metric, or the metric has no cost.
    """
    if result.status != "ok":
        raise CnbenchError(f"{result.case.point} {result.status}: {result.reason}", result.remedy)
    counted = [sample.values for sample in result.samples if not sample.replaced]
    if not all(metric.name in values for values in counted):
        raise CnbenchError(f"{result.case.point} has no {metric.name}")
    clock = result.case.clock
    return {"samples": [cost(metric, v[metric.name], clock) for v in counted], "number": 1}
