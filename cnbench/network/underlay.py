"""What joins the nodes: a veth pair, a bridge, or a row of routers.

    hops=0, veth      node1 eth0 ---- eth0 node2
    hops=0, bridge    node1 eth0 ---- br0 (switch) ---- eth0 node2
    hops=2            node1 eth0 ---- router1 ---- router2 ---- eth0 node2

On one layer 2 both nodes are in 192.168.1.0/24; behind routers the second is in 192.168.2.0/24.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace, address, join, route_via
from cnbench.network.devices import links

DEVICE = "eth0"
_NEAR, _FAR = "192.168.1", "192.168.2"
# Ethernet's header: counted by a device, not part of its MTU.
ETHERNET_HEADER = 14


@dataclass(frozen=True)
class Port:
    """Where a node meets the underlay.

    Attributes:
        namespace: the node.
        address: its own.
        gateway: the router it reaches the other node by; empty on one layer 2.
    """

    namespace: NetworkNamespace
    address: str
    gateway: str


@dataclass(frozen=True)
class Underlay:
    """Two nodes that reach each other.

    Attributes:
        ports: the nodes' ends.
        routers: in the order from the first node to the second.
        others: namespaces that pass frames on without routing them.
    """

    ports: tuple[Port, Port]
    routers: tuple[NetworkNamespace, ...] = ()
    others: tuple[NetworkNamespace, ...] = ()

    @property
    def one_layer_2(self) -> bool:
        """Whether the nodes are each other's neighbours."""
        return not self.routers


@contextlib.contextmanager
def open_underlay(lab: Lab, kind: str, hops: int, mtu: int) -> Iterator[Underlay]:
    """Two nodes joined by ``kind`` (``veth``, ``bridge``), or by ``hops`` routers if not 0.

    ``mtu`` is that of every underlay device, in bytes without the Ethernet header.
    """
    with contextlib.ExitStack() as stack:

        def namespace(name: str) -> NetworkNamespace:
            return stack.enter_context(open_quiet_namespace(lab, name))

        nodes = namespace("node1"), namespace("node2")
        routers = tuple(namespace(f"router{number + 1}") for number in range(hops))
        switch = (namespace("switch"),) if kind == "bridge" and not hops else ()
        if routers:
            _join_by_routers(nodes, routers)
        elif switch:
            _join_by_bridge(nodes, switch[0])
        else:
            join(nodes[0], DEVICE, nodes[1], DEVICE)
        for place in (*nodes, *routers, *switch):
            for name in links.names(place):
                links.set_link(place, name, mtu=mtu)
        yield Underlay(_address(nodes, routers), routers, switch)


@contextlib.contextmanager
def open_quiet_namespace(lab: Lab, name: str) -> Iterator[NetworkNamespace]:
    """A namespace without IPv6, whose own messages would be among those that are measured."""
    with lab.network_namespace(name) as namespace:
        if Path("/proc/sys/net/ipv6").exists():
            namespace.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        yield namespace


def _join_by_bridge(
    nodes: tuple[NetworkNamespace, NetworkNamespace], switch: NetworkNamespace
) -> None:
    links.make(switch, "br0", "bridge")
    for number, node in enumerate(nodes, 1):
        join(node, DEVICE, switch, f"port{number}")
        links.enslave(switch, f"port{number}", "br0")


def _join_by_routers(
    nodes: tuple[NetworkNamespace, NetworkNamespace], routers: tuple[NetworkNamespace, ...]
) -> None:
    row = (nodes[0], *routers, nodes[1])
    for position, (here, there) in enumerate(itertools.pairwise(row)):
        join(
            here,
            DEVICE if position == 0 else "right",
            there,
            DEVICE if position == len(routers) else "left",
        )
    for position, (here, there) in enumerate(itertools.pairwise(routers)):
        left, right = f"192.168.{100 + position}.1", f"192.168.{100 + position}.2"
        address(here, "right", f"{left}/30")
        address(there, "left", f"{right}/30")
    for router in routers:
        router.sysctl("net.ipv4.ip_forward", 1)


def _address(
    nodes: tuple[NetworkNamespace, NetworkNamespace], routers: tuple[NetworkNamespace, ...]
) -> tuple[Port, Port]:
    if not routers:
        ports = Port(nodes[0], f"{_NEAR}.11", ""), Port(nodes[1], f"{_NEAR}.12", "")
        for port in ports:
            address(port.namespace, DEVICE, f"{port.address}/24")
            # Nobody is there, but a node without a default route is none: proxy ARP answers only
            # for addresses that the node has a route to.
            route_via(port.namespace, "default", f"{_NEAR}.1")
        return ports
    ports = Port(nodes[0], f"{_NEAR}.11", f"{_NEAR}.1"), Port(nodes[1], f"{_FAR}.12", f"{_FAR}.1")
    address(routers[0], "left", f"{ports[0].gateway}/24")
    address(routers[-1], "right", f"{ports[1].gateway}/24")
    for port in ports:
        address(port.namespace, DEVICE, f"{port.address}/24")
        route_via(port.namespace, "default", port.gateway)
    along(routers, f"{_NEAR}.0/24", f"{_FAR}.0/24")
    return ports


def along(routers: tuple[NetworkNamespace, ...], near: str, far: str) -> None:
    """Have each router of a row pass ``near`` on to its left neighbour and ``far`` to its right.

    The outermost routers have their own node's network on a device, and need no route to it.
    """
    for position, router in enumerate(routers):
        if position > 0:
            route_via(router, near, f"192.168.{100 + position - 1}.1")
        if position < len(routers) - 1:
            route_via(router, far, f"192.168.{100 + position}.2")
