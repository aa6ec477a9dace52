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
from cnbench.lab.netns import NetworkNamespace
from cnbench.network import frame_tunnel
from cnbench.network.backend import Backend, Encapsulation, require_kind
from cnbench.network.devices import links
from cnbench.network.routes import add_forwarding, read_forwarding
from cnbench.network.topology import NetworkNode, Topology
from cnbench.network.underlay import DEVICE

_DEVICE = "flannel.1"
_VNI = 1
_PORT = 8472
# RFC 7348: Ethernet 14 (the inner one), VXLAN 8, UDP 8, IPv4 20.
_OVERHEAD = 14 + 8 + 8 + 20


def _device_of(node: NetworkNode, peer: NetworkNode) -> dict[str, object]:
    with links.link(node.namespace, DEVICE) as (_, underlay):
        return {
            "vxlan_id": _VNI,
            "vxlan_port": _PORT,
            "vxlan_learning": 0,
            "vxlan_link": underlay,
            "vxlan_local": node.address,
        }


def _install(topology: Topology) -> None:
    frame_tunnel.install(topology, "vxlan", _DEVICE, _OVERHEAD, _device_of)
    for node, peer in topology.pairs:
        mac = links.mac(peer.namespace, _DEVICE)
        add_forwarding(node.namespace, _DEVICE, mac, peer.address)


def _checks(topology: Topology) -> tuple[Check, ...]:
    checks: list[Check] = []
    for node, peer in topology.pairs:
        name = node.namespace.name
        checks += [
            equal(
                f"{_DEVICE} of {name} (VNI, port, learning), read back",
                (_VNI, _PORT, 0),
                _settings(node.namespace),
            ),
            equal(
                f"forwarding entries on {_DEVICE} of {name}",
                {links.mac(peer.namespace, _DEVICE): peer.address},
                read_forwarding(node.namespace, _DEVICE),
            ),
            *frame_tunnel.checks(node, peer, _DEVICE),
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
