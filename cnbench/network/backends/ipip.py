"""ipip: Calico's IPIP mode Always, between nodes on one layer 2 too.

Calico uses the kernel's fallback device tunl0 (any local, any remote address): the onlink route's
gateway, the other node, becomes the outer destination.
"""

from __future__ import annotations

from cnbench.core.proof import Check, equal
from cnbench.lab.host import Lab
from cnbench.lab.netns import address
from cnbench.network.backend import Backend, Encapsulation, require_fallback_device
from cnbench.network.devices import links
from cnbench.network.routes import Route, add_route, check_route
from cnbench.network.topology import NetworkNode, Topology

_DEVICE = "tunl0"
# RFC 2003: another IPv4 header.
_OVERHEAD = 20

ENCAPSULATION = Encapsulation("ipip", _OVERHEAD, _DEVICE)


def _route(peer: NetworkNode) -> Route:
    return Route(peer.pod_network, peer.address, _DEVICE, onlink=True)


def install(topology: Topology) -> None:
    """tunl0 up on both nodes, with the MTU and the address that Calico gives it, and the routes."""
    for node, peer in topology.pairs:
        links.set_link(node.namespace, _DEVICE, mtu=topology.mtu - _OVERHEAD, state="up")
        address(node.namespace, _DEVICE, f"{node.pod_network.rpartition('.')[0]}.1/32")
        add_route(node.namespace, _route(peer))


def checks(topology: Topology) -> tuple[Check, ...]:
    """The device's MTU and the routes, read back."""
    return tuple(
        check
        for node, peer in topology.pairs
        for check in (
            equal(
                f"MTU of {_DEVICE} of {node.namespace.name}",
                topology.mtu - _OVERHEAD,
                links.mtu(node.namespace, _DEVICE),
            ),
            check_route(node.namespace, _route(peer)),
        )
    )


def require(lab: Lab) -> None:
    """Refuse a kernel without IPIP."""
    require_fallback_device(lab, "ipip", _DEVICE)


BACKEND = Backend(
    name="ipip",
    summary="Calico's IPIP, mode Always: tunl0 and onlink routes",
    encapsulation=lambda hops: ENCAPSULATION,
    install=install,
    checks=checks,
    require=require,
)
