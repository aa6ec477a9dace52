"""A cluster's nodes and pods as they are told, to make clusters of that differ in something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cnbench.scheduler.cluster import Cluster
from cnbench.scheduler.columns.node_labels import HOSTNAME
from cnbench.scheduler.errors import UnknownNodeError
from cnbench.scheduler.model.objects import Node, Pod


@dataclass(frozen=True, slots=True)
class Placed:
    """A pod on its node.

    Attributes:
        pod: the pod.
        node: the node's name.
        stays: whether it belongs to the node (a DaemonSet's pod), so that it does not move.
    """

    pod: Pod
    node: str
    stays: bool = False


@dataclass(frozen=True)
class World:
    """Nodes and pods; every change gives another one.

    Attributes:
        nodes: the nodes.
        placed: the pods that have a node.
        pending: the pods that wait for one, in the order they came.
        namespaces: labels of namespaces by name.
    """

    nodes: tuple[Node, ...]
    placed: tuple[Placed, ...] = ()
    pending: tuple[Pod, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def cluster(self) -> Cluster:
        """A cluster with these nodes, and the placed pods on them.

        Raises:
            SchedulerInputError: two nodes or two pods share a name, or there is no node.
            UnknownNodeError: a pod's node is not there.
        """
        cluster = Cluster(self.nodes, self.namespaces)
        for placed in self.placed:
            cluster.add(placed.pod, placed.node)
        return cluster

    def drained(self, name: str) -> World:
        """Without a node: its pods wait in front of all others, but for those that are its own.

        Raises:
            UnknownNodeError: there is no such node.
        """
        self.node(name)
        moved = tuple(
            placed.pod for placed in self.placed if placed.node == name and not placed.stays
        )
        return replace(
            self,
            nodes=tuple(node for node in self.nodes if node.name != name),
            placed=tuple(placed for placed in self.placed if placed.node != name),
            pending=moved + self.pending,
        )

    def with_nodes(self, number: int, like: str) -> World:
        """With so many more nodes like one that is there, without pods.

        Raises:
            UnknownNodeError: there is no such node.
        """
        model = self.node(like)
        taken = {node.name for node in self.nodes}
        names = (f"{like}-added-{count}" for count in range(1, number + len(taken) + 1))
        free = [name for name in names if name not in taken][:number]
        return replace(self, nodes=self.nodes + tuple(_renamed(model, name) for name in free))

    def node(self, name: str) -> Node:
        """The node of a name.

        Raises:
            UnknownNodeError: there is no such node.
        """
        found = next((node for node in self.nodes if node.name == name), None)
        if found is None:
            raise UnknownNodeError(name, len(self.nodes))
        return found


def _renamed(node: Node, name: str) -> Node:
    labels = dict(node.labels)
    if HOSTNAME in labels:
        labels[HOSTNAME] = name
    return replace(node, name=name, labels=labels)
