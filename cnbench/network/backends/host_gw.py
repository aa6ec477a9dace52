"""host-gw: a route to the other node's pods by way of that node, as flanneld writes it.

The other node must be a neighbour: a gateway that is itself behind a gateway is none.
"""

from __future__ import annotations

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.core.proof import Check
from cnbench.network.backend import PLAIN, Backend
from cnbench.network.reach import what_routers_did
from cnbench.network.routes import Route, add_route, check_route
from cnbench.network.topology import NetworkNode, Topology
from cnbench.network.underlay import DEVICE


def _route(peer: NetworkNode) -> Route:
    return Route(peer.pod_network, peer.address, DEVICE)


def _install(topology: Topology) -> None:
    for node, peer in topology.pairs:
        try:
            add_route(node.namespace, _route(peer))
        except CnbenchError as refusal:
            raise UnsupportedError(
                "host-gw requires nodes on one layer 2, and these have routers between them (hops="
                f"{len(topology.underlay.routers)}): {refusal}; {what_routers_did(topology)}",
                "use a backend that crosses routers (vxlan, ipip, bgp), or hops=0",
            ) from refusal


def _checks(topology: Topology) -> tuple[Check, ...]:
    return tuple(check_route(node.namespace, _route(peer)) for node, peer in topology.pairs)


BACKEND = Backend(
    name="host-gw",
    summary="flannel's host-gw: a plain route by way of the other node",
    encapsulation=lambda hops: PLAIN,
    install=_install,
    checks=_checks,
)
