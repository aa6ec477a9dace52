"""Tunnels that carry whole Ethernet frames: what flannel's vxlan and Geneve have in common.

A node's tunnel device has the first address of its pod network. For each peer there is a permanent
ARP entry, so that nothing is ever asked for, and an onlink route by way of the peer's device.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cnbench.core.proof import Check, equal
from cnbench.lab.netns import address
from cnbench.network.devices import links
from cnbench.network.routes import (
    Route,
    add_neighbour,
    add_route,
    check_route,
    read_neighbours,
)
from cnbench.network.topology import NetworkNode, Topology

Settings = Callable[[NetworkNode, NetworkNode], Mapping[str, object]]
"""What a node's device is asked for, given the node and its peer, as pyroute2 names it."""


def install(topology: Topology, kind: str, device: str, overhead: int, settings: Settings) -> None:
    """A ``device`` of ``kind`` on both nodes, with the addresses, ARP entries and routes."""
    for node, peer in topology.pairs:
        links.make(node.namespace, device, kind, **settings(node, peer))
        links.set_link(node.namespace, device, mtu=topology.mtu - overhead)
        address(node.namespace, device, f"{node.tunnel_address}/32")
    for node, peer in topology.pairs:
        mac = links.mac(peer.namespace, device)
        add_neighbour(node.namespace, device, peer.tunnel_address, mac)
        add_route(node.namespace, _route(peer, device))


def checks(node: NetworkNode, peer: NetworkNode, device: str) -> tuple[Check, ...]:
    """``node``'s ARP entries and its route to ``peer``, read back."""
    return (
        equal(
            f"permanent ARP entries on {device} of {node.namespace.name}",
            {peer.tunnel_address: links.mac(peer.namespace, device)},
            read_neighbours(node.namespace, device),
        ),
        check_route(node.namespace, _route(peer, device)),
    )


def _route(peer: NetworkNode, device: str) -> Route:
    return Route(peer.pod_network, peer.tunnel_address, device, onlink=True)
