"""What is asked of CNI plug-ins, and which questions make no sense."""

from __future__ import annotations

from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point

# Those that make interfaces, those that come after bridge in a chain, and what needs neither.
INTERFACES = ("bridge", "ptp", "macvlan", "ipvlan")
CHAINED = ("portmap", "bandwidth", "firewall", "tuning")
CHAIN, LOOPBACK, HOST_LOCAL = "chain", "loopback", "host-local"
# How flannel and Calico wire a pod, as this project's own backends do it: by calls of the kernel.
FLANNEL, CALICO = "flannel-wiring", "calico-wiring"
WIRINGS = (FLANNEL, CALICO)
PLUGINS = (*INTERFACES, LOOPBACK, HOST_LOCAL, *CHAINED, CHAIN, *WIRINGS)

MOST_PODS = 500

PARAMETERS = (
    Parameter(
        "plugin", "which is timed; chain is bridge with all that may come after it, a wiring the "
        "kernel's calls alone",
        quick=PLUGINS, full=PLUGINS, choices=PLUGINS,
    ),
    Parameter(
        "pods", "pods on the same network that are there already", quick=(0,),
        full=(0, 50, 200), whole=True, maximum=MOST_PODS,
    ),
    Parameter(
        "parallel", "pods that are connected at once", quick=(1,), full=(1, 4, 16), whole=True,
        minimum=1, maximum=64,
    ),
)  # fmt: skip

METRICS = (
    Metric("add", "s", "lower", "ratio", "time of ADD, which connects the pod"),
    Metric("check", "s", "lower", "ratio", "time of CHECK, which looks whether all is there"),
    Metric("del", "s", "lower", "ratio", "time of DEL, which takes the pod from the network"),
    Metric("left", "", "lower", "additive", "what a pod leaves on the node that ends without DEL"),
    Metric("kept", "", "lower", "additive", "what of that is there still after a late DEL"),
)


def nonsense(params: Point) -> str:
    """Why a point of the grid makes no sense, or the empty text."""
    alone = params["pods"] == 0 and params["parallel"] == 1
    reasons = {
        "loopback knows of no other pods": params["plugin"] == LOOPBACK and not alone,
        "a wiring is done by one process, pod by pod":
            params["plugin"] in WIRINGS and params["parallel"] != 1,
        "pods at once and pods before are looked at one by one":
            params["pods"] != 0 and params["parallel"] != 1,
    }  # fmt: skip
    return next((reason for reason, so in reasons.items() if so), "")
