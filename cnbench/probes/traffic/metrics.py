"""What traffic is measured by, the same in every experiment that has some."""

from __future__ import annotations

from collections.abc import Sequence

from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter
from cnbench.core.ranks import nearest_rank
from cnbench.lab.clock import Clock
from cnbench.probes.traffic.exchanges import answered
from cnbench.probes.traffic.loop import Exchanged

CPU_COST = Metric(
    "cpu_cost", "s/B", "lower", "ratio", "CPU time per byte delivered, softirq included"
)
# What of one byte asks for another costs by the exchange: nobody pays for it by the byte.
EXCHANGE_COST = Metric(
    "exchange_cost", "s", "lower", "ratio", "CPU time of a message and its answer, softirq included"
)
THROUGHPUT = Metric("throughput", "B/s", "higher", "ratio", "bytes delivered per second")
LATENCY = Metric("latency", "s", "lower", "ratio", "time of a message, its answer included, median")
_LATENCIES = (
    LATENCY,
    Metric("latency_p99", "s", "lower", "ratio", "the same, 99th percentile"),
    Metric("latency_p999", "s", "lower", "ratio", "the same, 99.9th percentile"),
)
_SHARES = (0.5, 0.99, 0.999)
COSTS = (CPU_COST, EXCHANGE_COST, THROUGHPUT, *_LATENCIES)

MESSAGES = Parameter(
    "messages",
    "messages in one sample of the closed loop",
    # A guest that counts needs no more, and a block less time.
    quick=(300,),
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


def costs(kind: str, batch: Exchanged, clock: Clock) -> dict[str, float]:
    """What of ``COSTS`` traffic of this ``kind`` has, from one batch of messages.

    A stream costs by the byte; what is answered, by the exchange.
    """
    if answered(kind):
        by = {EXCHANGE_COST.name: batch.busy / len(batch.ticks)}
    else:
        by = {
            CPU_COST.name: batch.busy / batch.delivered,
            THROUGHPUT.name: batch.delivered / batch.elapsed,
        }
    return {**by, **latencies(batch.ticks, clock)}
