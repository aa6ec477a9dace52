"""Two nodes with a pod each, and the way between them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace
from cnbench.network.devices import offloads
from cnbench.network.pods import open_pod
from cnbench.network.underlay import Underlay, open_underlay

POD_NETWORKS = ("10.32.0.0/24", "10.32.1.0/24")


@dataclass(frozen=True)
class NetworkNode:
    """A node, its end of the underlay, and its pod.

    Attributes:
        namespace: the node.
        address: its own, on the underlay.
        gateway: the router towards the other node; empty on one layer 2.
        pod: its pod; the node itself where the backend has no pods.
        pod_address: the pod's.
        pod_network: where its pods have their addresses.
    """

    namespace: NetworkNamespace
    address: str
    gateway: str
    pod: NetworkNamespace
    pod_address: str
    pod_network: str

    @property
    def tunnel_address(self) -> str:
        """What flannel gives its tunnel device: the first address of the pod network."""
        return self.pod_network.partition("/")[0]


@dataclass(frozen=True)
class Topology:
    """Two nodes on an underlay; backends make their pods reach each other.

    Attributes:
        nodes: the two of them.
        underlay: what joins them.
        mtu: of the underlay, in bytes.
        pod_mtu: of the pods' devices, in bytes.
    """

    nodes: tuple[NetworkNode, NetworkNode]
    underlay: Underlay
    mtu: int
    pod_mtu: int

    @property
    def pairs(self) -> tuple[tuple[NetworkNode, NetworkNode], tuple[NetworkNode, NetworkNode]]:
        """Each node with the other as its peer."""
        one, other = self.nodes
        return (one, other), (other, one)

    @property
    def namespaces(self) -> tuple[NetworkNamespace, ...]:
        """All there are, each once."""
        pods = [node.pod for node in self.nodes if node.pod is not node.namespace]
        nodes = [node.namespace for node in self.nodes]
        return (*pods, *nodes, *self.underlay.routers, *self.underlay.others)

    def switch_offloads_off(self) -> None:
        """Have packets cut to the MTU by the first device that lets itself be told."""
        for namespace in self.namespaces:
            offloads.switch_off(namespace)

    def offloads_on(self) -> list[str]:
        """``namespace device: offload`` for each one that is on."""
        return [
            f"{namespace.name} {left}"
            for namespace in self.namespaces
            for left in offloads.still_on(namespace)
        ]


@contextlib.contextmanager
def open_topology(
    lab: Lab, *, underlay: str, hops: int, mtu: int, attachment: str, pod_mtu: int
) -> Iterator[Topology]:
    """Two nodes, no route between their pods yet.

    Args:
        lab: where the namespaces are made.
        underlay: ``veth`` or ``bridge``; what joins the nodes if there are no routers.
        hops: routers between them.
        mtu: of the underlay, in bytes.
        attachment: as ``open_pod`` has it; with ``none`` the nodes themselves are the pods.
        pod_mtu: of the pods' devices, in bytes.
    """
    with contextlib.ExitStack() as stack:
        joined = stack.enter_context(open_underlay(lab, underlay, hops, mtu))
        nodes = []
        for port, network in zip(joined.ports, POD_NETWORKS, strict=True):
            pod, address = stack.enter_context(open_pod(lab, port, attachment, network, pod_mtu))
            nodes.append(
                NetworkNode(port.namespace, port.address, port.gateway, pod, address, network)
            )
        yield Topology((nodes[0], nodes[1]), joined, mtu, pod_mtu)
