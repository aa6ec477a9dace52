"""What happens to the pods of a world that changes: who finds a node, who does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cnbench.scheduler.cluster import Cluster
from cnbench.scheduler.engine import Scheduler
from cnbench.scheduler.questions.world import Placed, World

SchedulerOf = Callable[[Cluster], Scheduler]


@dataclass(frozen=True)
class Outcome:
    """How the pods that waited ended up.

    Attributes:
        placed: the pods that found a node.
        pending: the names of those that found none.
        nodes_used: nodes that run at least one pod.
        nodes: all nodes.
    """

    placed: tuple[Placed, ...]
    pending: tuple[str, ...]
    nodes_used: int
    nodes: int

    def as_json(self) -> dict[str, object]:
        """As one JSON object."""
        return {
            "placed": {placed.pod.key: placed.node for placed in self.placed},
            "pending": list(self.pending),
            "nodes": self.nodes,
            "nodes_used": self.nodes_used,
        }


def settle(world: World, scheduler_of: SchedulerOf) -> tuple[World, Outcome]:
    """Place the pods that wait, one after another, in the order they came.

    Args:
        world: the nodes and pods.
        scheduler_of: the scheduler of a cluster.

    Returns:
        The world as it is then, and how the pods that waited ended up.

    Raises:
        SchedulerInputError: a pod has a field without which there is no answer.
    """
    cluster = world.cluster()
    scheduler = scheduler_of(cluster)
    placed: list[Placed] = []
    pending = []
    for pod in world.pending:
        choice = scheduler.place(pod)
        if choice is None:
            pending.append(pod)
        else:
            placed.append(Placed(pod, choice.node))
    after = World(world.nodes, world.placed + tuple(placed), tuple(pending), world.namespaces)
    used = len({placement.node for placement in after.placed})
    names = tuple(pod.key for pod in pending)
    return after, Outcome(tuple(placed), names, used, len(world.nodes))
