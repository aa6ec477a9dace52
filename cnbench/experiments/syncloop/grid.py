"""What is asked of a real kubelet."""

from __future__ import annotations

from cnbench.control_plane.binaries import KUBERNETES, OWN
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter

PARAMETERS = (
    Parameter(
        "server", "kubelet, API server and etcd: Kubernetes 1.20, or your own",
        quick=(KUBERNETES,), full=(KUBERNETES,), choices=(KUBERNETES, OWN),
    ),
    Parameter(
        "pods", "pods of one container each that run on the node", quick=(1, 10), full=(1, 10, 50),
        whole=True, minimum=1, maximum=100,
    ),
)  # fmt: skip

METRICS = (
    Metric("running", "s", "lower", "ratio", "from a pod's creation until the API says it runs"),
    Metric("start", "s", "lower", "ratio", "from its creation to its container's own program"),
    Metric("stop", "s", "lower", "ratio", "from its deletion to its end, after 1 s of grace"),
    Metric("relist", "s", "lower", "ratio", "a relist of the kubelet, by its own histogram"),
    Metric("ours", "s", "lower", "ratio", "our own relist of the same pods, meanwhile"),
    Metric("period", "s", "lower", "ratio", "between two relists, by the kubelet's histogram"),
    Metric("cpu", "1", "lower", "additive", "share of a processor that an idle kubelet takes"),
    Metric("memory", "B", "lower", "additive", "memory that the kubelet has resident"),
    Metric("ready", "s", "lower", "ratio", "from the kubelet's start until its node is ready"),
)
