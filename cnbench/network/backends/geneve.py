"""geneve: a Geneve tunnel without options to the other node, and a route to its pods by that."""

from __future__ import annotations

from cnbench.core.proof import Check, equal
from cnbench.lab.host import Lab
from cnbench.lab.netns import address
from cnbench.network import links
from cnbench.network.backend import Backend, Encapsulation, require_kind
from cnbench.network.routes import (
    Route,
    add_neighbour,
    add_route,
    check_route,
    read_neighbours,
)
from cnbench.network.topology import Node, Topology

_DEVICE = "geneve1"
_VNI = 1
# RFC 8926: UDP port 6081; Ethernet 14 (the inner one), Geneve 8, UDP 8, IPv4 20.
_PORT = 6081
_OVERHEAD = 14 + 8 + 8 + 20


def _tunnel_address(node: Node) -> str:
    return node.pod_network.partition("/")[0]


def _route(peer: Node) -> Route:
    return Route(peer.pod_network, _tunnel_address(peer), _DEVICE, onlink=True)


def _install(topology: Topology) -> None:
    for node, peer in topology.pairs:
        links.make(
            node.namespace,
            _DEVICE,
            "geneve",
            geneve_id=_VNI,
            geneve_remote=peer.address,
            geneve_port=_PORT,
        )
        links.set_link(node.namespace, _DEVICE, mtu=topology.mtu - _OVERHEAD)
        address(node.namespace, _DEVICE, f"{_tunnel_address(node)}/32")
    for node, peer in topology.pairs:
        add_neighbour(
            node.namespace, _DEVICE, _tunnel_address(peer), links.mac(peer.namespace, _DEVICE)
        )
        add_route(node.namespace, _route(peer))


def _checks(topology: Topology) -> tuple[Check, ...]:
    return tuple(
        check
        for node, peer in topology.pairs
        for check in (
            equal(
                f"permanent ARP entries on {_DEVICE} of {node.namespace.name}",
                {_tunnel_address(peer): links.mac(peer.namespace, _DEVICE)},
                read_neighbours(node.namespace, _DEVICE),
            ),
            check_route(node.namespace, _route(peer)),
        )
    )


def _require(lab: Lab) -> None:
    require_kind(lab, "geneve", geneve_id=_VNI, geneve_remote="192.168.1.12", geneve_port=_PORT)


BACKEND = Backend(
    name="geneve",
    summary="a Geneve tunnel between the nodes, UDP port 6081, no options",
    encapsulation=lambda hops: Encapsulation("geneve", _OVERHEAD, _DEVICE),
    install=_install,
    checks=_checks,
    require=_require,
)
