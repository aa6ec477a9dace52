"""What is asked of CNI plug-ins, and which questions make no sense."""

from __future__ import annotations

from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point

# Those that make interfaces, those that come after bridge in a chain, and what needs neither.
INTERFACES = ("bridge", "ptp", "macvlan", "ipvlan")
CHAINED = ("portmap", "bandwidth", "firewall", "tuning")
CHAIN, LOOPBACK, HOST_LOCAL = "chain", "loopback", "host-local"
PLUGINS = (*INTERFACES, LOOPBACK, HOST_LOCAL, *CHAINED, CHAIN)

MOST_PODS = 500

PARAMETERS = (
    Parameter(
        "plugin", "which is timed; chain is bridge with all that may come after it",
        quick=PLUGINS, full=PLUGINS, choices=PLUGINS,
    ),
    Parameter(
        "pods", "pods on the same network that are there already", quick=(0,),
        full=(0, 50, 200), whole=True, maximum=MOST_PODS,
    ),
)  # fmt: skip

METRICS = (
    Metric("add", "s", "lower", "ratio", "time of ADD, which connects the pod"),
    Metric("check", "s", "lower", "ratio", "time of CHECK, which looks whether all is there"),
    Metric("del", "s", "lower", "ratio", "time of DEL, which takes the pod from the network"),
)


def nonsense(params: Point) -> str:
    """Why a point of the grid makes no sense, or the empty text."""
    if params["plugin"] == LOOPBACK and params["pods"] != 0:
        return "loopback knows of no other pods"
    return ""
