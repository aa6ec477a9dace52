"""What traffic is measured by, the same in every experiment that has some."""

from __future__ import annotations

from collections.abc import Sequence

from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter
from cnbench.core.ranks import nearest_rank
from cnbench.lab.clock import Clock
from cnbench.probes.traffic.loop import Batch

CPU_COST = Metric(
    "cpu_cost", "s/B", "lower", "ratio", "CPU time per byte delivered, softirq included"
)
THROUGHPUT = Metric("throughput", "B/s", "higher", "ratio", "bytes delivered per second")
LATENCY = Metric("latency", "s", "lower", "ratio", "time of a message, its answer included, median")
_LATENCIES = (
    LATENCY,
    Metric("latency_p99", "s", "lower", "ratio", "the same, 99th percentile"),
    Metric("latency_p999", "s", "lower", "ratio", "the same, 99.9th percentile"),
)
_SHARES = (0.5, 0.99, 0.999)
COSTS = (CPU_COST, THROUGHPUT, *_LATENCIES)

MESSAGES = Parameter(
    "messages",
    "messages in one sample of the closed loop",
    quick=(1000,),
    full=(1000,),
    whole=True,
    minimum=1,
    maximum=1_000_000,
)


def latencies(ticks: Sequence[int], clock: Clock) -> dict[str, float]:
    """The median, the 99th and the 99.9th percentile, as metrics of a sample.

    Without those that none of ``ticks`` can lie beyond: the slowest of 50 is no 99th percentile.
    """
    return {
        metric.name: clock.units(nearest_rank(ticks, share))
        for metric, share in zip(_LATENCIES, _SHARES, strict=True)
        if metric is LATENCY or round(len(ticks) * (1 - share), 6) >= 1
    }


def costs(batch: Batch, clock: Clock) -> dict[str, float]:
    """A value of each of ``COSTS``, from one batch of messages."""
    return {
        CPU_COST.name: batch.busy / batch.delivered,
        THROUGHPUT.name: batch.delivered / batch.elapsed,
        **latencies(batch.ticks, clock),
    }
