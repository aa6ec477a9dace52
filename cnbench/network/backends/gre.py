"""gre: a GRE tunnel to the other node, and a route to its pods by that."""

from __future__ import annotations

from cnbench.core.proof import Check
from cnbench.lab.host import Lab
from cnbench.network.backend import Backend, Encapsulation, require_fallback_device
from cnbench.network.devices import links
from cnbench.network.routes import Route, add_route, check_route
from cnbench.network.topology import NetworkNode, Topology

_DEVICE = "gre1"
# RFC 2784: an IPv4 header, and four bytes of GRE without key or checksum.
_OVERHEAD = 20 + 4


def _route(peer: NetworkNode) -> Route:
    return Route(peer.pod_network, peer.address, _DEVICE, onlink=True)


def _install(topology: Topology) -> None:
    for node, peer in topology.pairs:
        links.make(node.namespace, _DEVICE, "gre", gre_local=node.address, gre_remote=peer.address)
        links.set_link(node.namespace, _DEVICE, mtu=topology.mtu - _OVERHEAD)
        add_route(node.namespace, _route(peer))


def _checks(topology: Topology) -> tuple[Check, ...]:
    return tuple(check_route(node.namespace, _route(peer)) for node, peer in topology.pairs)


def _require(lab: Lab) -> None:
    require_fallback_device(lab, "ip_gre", "gre0")


BACKEND = Backend(
    name="gre",
    summary="a GRE tunnel between the nodes",
    encapsulation=lambda hops: Encapsulation("gre", _OVERHEAD, _DEVICE),
    install=_install,
    checks=_checks,
    require=_require,
)
