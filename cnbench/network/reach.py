"""What becomes of packets that no router knows the way for."""

from __future__ import annotations

import socket
from pathlib import Path

from cnbench.lab.netns import NetworkNamespace
from cnbench.network.routes import Route, add_route
from cnbench.network.topology import Topology
from cnbench.network.underlay import DEVICE

_PACKETS = 10
# The port that RFC 863 gives to packets nobody wants.
_DISCARD = 9


def what_routers_did(topology: Topology) -> str:
    """Send packets to the other node's pod by way of the first router, and say what became of them.

    A sentence with the kernel's own count of what the routers had no route for (``InNoRoutes`` of
    /proc/net/netstat).
    """
    near, far = topology.nodes
    add_route(near.namespace, Route(far.pod_network, near.gateway, DEVICE))
    before = sum(_without_route(router) for router in topology.underlay.routers)
    with near.pod.entered():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        for _ in range(_PACKETS):
            sender.sendto(b"cnbench", (far.pod_address, _DISCARD))
    dropped = sum(_without_route(router) for router in topology.underlay.routers) - before
    return (
        f"sent by way of the router instead, {dropped} of {_PACKETS} packets were dropped there "
        "for want of a route"
    )


def _without_route(router: NetworkNamespace) -> int:
    with router.entered():
        lines = Path("/proc/thread-self/net/netstat").read_text().splitlines()
    names, values = (line.split()[1:] for line in lines if line.startswith("IpExt:"))
    return int(dict(zip(names, values, strict=True))["InNoRoutes"])
