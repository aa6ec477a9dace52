"""What is asked of the pod lifecycle event generator."""

from __future__ import annotations

from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter

EVENTED, GENERIC = "evented", "generic"
_WAYS = (EVENTED, GENERIC)
# Seconds between two relists (genericPlegRelistPeriod of pkg/kubelet/kubelet.go).
PERIOD = 1.0

PARAMETERS = (
    Parameter(
        "way", "listing once a second, or listening to the runtime's events", quick=_WAYS,
        full=_WAYS, choices=_WAYS,
    ),
    Parameter(
        "pods", "pods of one container each on the node", quick=(1, 10), full=(1, 10, 50),
        whole=True, minimum=1, maximum=200,
    ),
)  # fmt: skip

METRICS = (
    Metric("relist", "s", "lower", "ratio", "time of listing all sandboxes and containers"),
    Metric("change", "s", "lower", "ratio", "the same, with the status of one pod that changed"),
    Metric("age", "s", "lower", "ratio", "time from a container's death until it is known"),
    Metric("cpu", "s", "lower", "ratio", "CPU time of containerd for listing once"),
)
