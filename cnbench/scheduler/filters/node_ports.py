"""NodePorts: no pod there takes a host port that this pod takes (PodFitsHostPorts).

Source: kubernetes framework/types.go, HostPortInfo.CheckConflict.
"""

from __future__ import annotations

from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Mask
from cnbench.scheduler.view import View

NAME = "NodePorts"
REASON = "node(s) didn't have free ports for the requested pod ports"


def feasible(view: View, shape: PodShape) -> Mask | None:
    """The nodes where all host ports are free; None for all nodes.

    A port on all addresses and the same one on a certain address exclude each other.
    """
    taken = None
    for port in shape.spec.host_ports:
        for tally in view.cluster.host_ports.conflicting(port):
            here = view.column(tally.per_node()) > 0
            taken = here if taken is None else taken | here
    return None if taken is None else ~taken
