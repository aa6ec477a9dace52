"""vxlan: flannel's VXLAN backend, every entry written as flanneld writes it.

Facts from flannel's vxlan backend (pkg/backend/vxlan): device flannel.1, VNI 1, port 8472 (the
kernel's default, not IANA's 4789), no learning; for each peer a permanent ARP entry, a permanent
forwarding entry, and an onlink route by way of the peer's tunnel address, which is the first
address of its pod network.
"""

from __future__ import annotations

from typing import Any

from cnbench.core.proof import Check, equal
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace, address
from cnbench.network import links
from cnbench.network.backend import Backend, Encapsulation, require_kind
from cnbench.network.routes import (
    Route,
    add_forwarding,
    add_neighbour,
    add_route,
    check_route,
    read_forwarding,
    read_neighbours,
)
from cnbench.network.topology import Node, Topology
from cnbench.network.underlay import DEVICE

_DEVICE = "flannel.1"
_VNI = 1
_PORT = 8472
# RFC 7348: Ethernet 14 (the inner one), VXLAN 8, UDP 8, IPv4 20.
_OVERHEAD = 14 + 8 + 8 + 20


def _tunnel_address(node: Node) -> str:
    return node.pod_network.partition("/")[0]


def _route(peer: Node) -> Route:
    return Route(peer.pod_network, _tunnel_address(peer), _DEVICE, onlink=True)


def _install(topology: Topology) -> None:
    for node in topology.nodes:
        with links.link(node.namespace, DEVICE) as (_, underlay):
            pass
        links.make(
            node.namespace,
            _DEVICE,
            "vxlan",
            vxlan_id=_VNI,
            vxlan_port=_PORT,
            vxlan_learning=0,
            vxlan_link=underlay,
            vxlan_local=node.address,
        )
        links.set_link(node.namespace, _DEVICE, mtu=topology.mtu - _OVERHEAD)
        address(node.namespace, _DEVICE, f"{_tunnel_address(node)}/32")
    for node, peer in topology.pairs:
        peer_mac = links.mac(peer.namespace, _DEVICE)
        add_neighbour(node.namespace, _DEVICE, _tunnel_address(peer), peer_mac)
        add_forwarding(node.namespace, _DEVICE, peer_mac, peer.address)
        add_route(node.namespace, _route(peer))


def _checks(topology: Topology) -> tuple[Check, ...]:
    checks: list[Check] = []
    for node, peer in topology.pairs:
        name, peer_mac = node.namespace.name, links.mac(peer.namespace, _DEVICE)
        checks += [
            equal(
                f"{_DEVICE} of {name} (VNI, port, learning), read back",
                (_VNI, _PORT, 0),
                _settings(node.namespace),
            ),
            equal(
                f"permanent ARP entries on {_DEVICE} of {name}",
                {_tunnel_address(peer): peer_mac},
                read_neighbours(node.namespace, _DEVICE),
            ),
            equal(
                f"forwarding entries on {_DEVICE} of {name}",
                {peer_mac: peer.address},
                read_forwarding(node.namespace, _DEVICE),
            ),
            check_route(node.namespace, _route(peer)),
        ]
    return tuple(checks)


def _settings(namespace: NetworkNamespace) -> tuple[Any, Any, Any]:
    with links.link(namespace, _DEVICE) as (route, index):
        info = route.get_links(index)[0].get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_DATA")
    return (
        info.get_attr("IFLA_VXLAN_ID"),
        info.get_attr("IFLA_VXLAN_PORT"),
        info.get_attr("IFLA_VXLAN_LEARNING"),
    )


def _require(lab: Lab) -> None:
    require_kind(lab, "vxlan", vxlan_id=_VNI, vxlan_port=_PORT)


BACKEND = Backend(
    name="vxlan",
    summary="flannel's vxlan: flannel.1, VNI 1, UDP port 8472, no learning",
    encapsulation=lambda hops: Encapsulation("vxlan", _OVERHEAD, _DEVICE),
    install=_install,
    checks=_checks,
    require=_require,
)
