"""What is asked of notices of kills."""

from __future__ import annotations

from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point

CGROUP, LOG, EVENT = "cgroup", "kernel-log", "containerd"
_WAYS = (CGROUP, LOG, EVENT)

PARAMETERS = (
    Parameter(
        "way", "the group's own notice, /dev/kmsg, or containerd's TaskOOM", quick=_WAYS,
        full=_WAYS, choices=_WAYS,
    ),
    Parameter(
        "controller", "the version of the cgroup interface", quick=("v1",), full=("v1", "v2"),
        choices=("v1", "v2"),
    ),
    Parameter(
        "burst", "kills one after another", quick=(1,), full=(1, 50), whole=True, minimum=1,
        maximum=1000,
    ),
)  # fmt: skip

METRICS = (
    Metric(
        "notice", "s", "lower", "ratio", "time from the fatal page to the notice of the kill",
        elapsed=True,
    ),
    Metric("lost", "1", "lower", "additive",
           "share of the kills that nobody was told of", share=True),
)  # fmt: skip


def nonsense(params: Point) -> str:
    """Why a point of the grid makes no sense, or the empty text."""
    if params["way"] == EVENT and params["controller"] == "v2":
        return "a machine's containerd uses v1 where there is one, and a guest has none"
    return ""
