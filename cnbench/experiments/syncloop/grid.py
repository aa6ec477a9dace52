"""What is asked of a real kubelet."""

from __future__ import annotations

from cnbench.control_plane.binaries import KUBERNETES, OWN
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point

NONE, EXEC = "none", "exec"
_FEW, _SOME = 1, 10


def _probes(so_far: Point) -> tuple[str, ...]:
    return (NONE, EXEC) if so_far.whole("pods") == _SOME else (NONE,)


def _at_once(so_far: Point) -> tuple[int, ...]:
    alone = so_far.whole("pods") == _FEW and so_far["probe"] == NONE
    return (1, 10, 50) if alone else (1,)


PARAMETERS = (
    Parameter(
        "server", "kubelet, API server and etcd: Kubernetes 1.20, or your own",
        quick=(KUBERNETES,), full=(KUBERNETES,), choices=(KUBERNETES, OWN),
    ),
    Parameter(
        "pods", "pods of one container each that run on the node", quick=(_FEW, _SOME),
        full=(_FEW, _SOME, 50), whole=True, minimum=1, maximum=100,
    ),
    Parameter(
        "probe", "what the kubelet runs in each container once a second, to see whether it lives",
        quick=(NONE,), full=_probes, choices=(NONE, EXEC),
    ),
    Parameter(
        "at_once", "pods that are made, and deleted, at once", quick=(1,), full=_at_once,
        whole=True, minimum=1, maximum=100,
    ),
)  # fmt: skip

METRICS = (
    Metric("running", "s", "lower", "ratio", "from a pod's creation until the API says it runs"),
    Metric("start", "s", "lower", "ratio", "from its creation to its container's own program"),
    Metric("last", "s", "lower", "ratio", "from the creation of several until the last runs"),
    Metric("stop", "s", "lower", "ratio", "from deletion to the last's end, after 1 s of grace"),
    Metric("probe", "s", "lower", "ratio", "one probe, by the kubelet's histogram of ExecSync"),
    Metric("relist", "s", "lower", "ratio", "a relist of the kubelet, by its own histogram"),
    Metric("ours", "s", "lower", "ratio", "our own relist of the same pods, meanwhile"),
    Metric("period", "s", "lower", "ratio", "between two relists, by the kubelet's histogram"),
    Metric("cpu", "1", "lower", "additive", "share of a processor that an idle kubelet takes"),
    Metric("memory", "B", "lower", "additive", "memory that the kubelet has resident"),
    Metric("ready", "s", "lower", "ratio", "from the kubelet's start until its node is ready"),
)
