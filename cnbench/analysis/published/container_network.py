"""Published figures on the cost of Docker's network modes."""

from __future__ import annotations

from cnbench.analysis.published.figure import RATIO, Figure
from cnbench.analysis.published.ours import ratio_of

_SOURCE = "yangwwei.github.io, 2017-11-22, measured with qperf"
_ONE_HOST = "both ends on one host"
_BRIDGE, _HOST = {"mode": "bridge"}, {"mode": "host"}

PUBLISHED = (
    Figure(
        "container-network",
        "bandwidth of Docker's bridge over the host's network",
        _ONE_HOST,
        0.87,
        0.87,
        RATIO,
        _SOURCE,
        ratio_of("throughput", _BRIDGE, _HOST, way="inside", traffic="tcp-stream"),
        unlike=("ours sends and receives in one thread",),
    ),
    Figure(
        "container-network",
        "latency of Docker's bridge over the host's network",
        _ONE_HOST,
        1.14,
        1.14,
        RATIO,
        _SOURCE,
        ratio_of("latency", _BRIDGE, _HOST, way="inside", traffic="tcp-rr"),
        unlike=("ours spends no time on waking a second process",),
    ),
)
