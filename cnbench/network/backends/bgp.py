"""bgp: Calico without encapsulation; the routers learn the pod networks as BGP peers do.

The routes that BGP would install are installed here directly, on the nodes and (which host-gw
cannot do) on the routers between them, since those take part in the routing.
"""

from __future__ import annotations

from cnbench.core.proof import Check
from cnbench.network import underlay
from cnbench.network.backend import PLAIN, Backend
from cnbench.network.routes import Route, add_route, check_route
from cnbench.network.topology import NetworkNode, Topology
from cnbench.network.underlay import DEVICE


def _route(node: NetworkNode, peer: NetworkNode) -> Route:
    return Route(peer.pod_network, node.gateway or peer.address, DEVICE)


def _install(topology: Topology) -> None:
    near, far = topology.nodes
    for node, peer in topology.pairs:
        add_route(node.namespace, _route(node, peer))
    routers = topology.underlay.routers
    underlay.along(routers, near.pod_network, far.pod_network)
    if routers:
        add_route(routers[0], Route(near.pod_network, near.address, "left"))
        add_route(routers[-1], Route(far.pod_network, far.address, "right"))


def _checks(topology: Topology) -> tuple[Check, ...]:
    return tuple(check_route(node.namespace, _route(node, peer)) for node, peer in topology.pairs)


BACKEND = Backend(
    name="bgp",
    summary="Calico's routed way: plain routes, on the routers too",
    encapsulation=lambda hops: PLAIN,
    install=_install,
    checks=_checks,
)
