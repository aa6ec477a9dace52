"""The openb production trace, scheduled from the first pod to the last on an empty cluster."""

from __future__ import annotations

import contextlib
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cnbench.core.errors import UsageError
from cnbench.core.parameter import Point
from cnbench.core.proof import Check, Proof, equal, true
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab

if TYPE_CHECKING:
    from cnbench.scheduler import Cluster, Node, Pod
    from cnbench.scheduler.inputs.openb import Trace

_PERCENTAGES = {"adaptive": 0, "all": 100}


@dataclass
class TraceSubject:
    """All pods of a trace, in the order of their arrival; each sample begins with empty nodes."""

    trace: Trace
    percentage: int
    clock: Clock
    _cluster: Cluster | None = field(default=None, init=False)
    _unplaced: list[str] = field(default_factory=list, init=False)
    _outcomes: set[int] = field(default_factory=set, init=False)
    _costs: list[float] = field(default_factory=list, init=False)

    def sample(self) -> Mapping[str, float]:
        """What placing one pod costs, over all of them, and that over the nodes."""
        from cnbench.scheduler import Cluster, Scheduler
        from cnbench.scheduler.inputs.openb import schedule_all

        cluster = Cluster(self.trace.nodes)
        scheduler = Scheduler(cluster, percentage_of_nodes_to_score=self.percentage)
        began = self.clock.ticks()
        self._unplaced = schedule_all(scheduler, self.trace.pods)
        took = self.clock.units(self.clock.ticks() - began)
        self._cluster = cluster
        self._outcomes.add(hash(tuple(cluster.node_of(pod.key) for pod in self.trace.pods)))
        cost = took / len(self.trace.pods)
        self._costs.append(cost)
        return {"cost": cost, "per_node": cost / len(self.trace.nodes)}

    def proof(self) -> Proof:
        """Where the pods went, recounted in plain loops, and how full the cluster is."""
        from cnbench.scheduler.inputs.openb import packing

        cluster = self._cluster
        if cluster is None:
            return Proof()
        placed = _by_node(cluster, self.trace.pods)
        packed = packing(cluster, self._unplaced)
        shares = ", ".join(f"{name} {share:.1%}" for name, share in packed.allocated.items())
        return Proof(
            (
                equal(
                    "pods placed and refused are all of the trace's",
                    len(self.trace.pods),
                    sum(map(len, placed.values())) + len(self._unplaced),
                ),
                true("packing", f"{packed.placed} pods on {packed.nodes_used} nodes: {shares}",
                     packed.placed > 0),
                *self._rate(),
                equal("nodes that hold more than they have", 0, self._overfull(placed)),
                equal("pods on nodes that their affinity forbids", 0, self._misplaced(placed)),
                self._refused(placed),
                equal("every sample placed every pod alike", 1, len(self._outcomes)),
            )
        )  # fmt: skip

    def _rate(self) -> tuple[Check, ...]:
        """The pods placed in a second; where instructions are counted there is no second."""
        if self.clock.name != "wall":
            return ()
        rate = 1 / statistics.median(self._costs)
        return (true("pods a second, median of the samples", f"{rate:,.0f}", rate > 0),)

    def _overfull(self, placed: Mapping[str, Sequence[Pod]]) -> int:
        return sum(
            any(left < 0 for left in _left(node.capacity, placed[node.name]).values())
            for node in self.trace.nodes
        )

    def _misplaced(self, placed: Mapping[str, Sequence[Pod]]) -> int:
        return sum(
            not _admitted(pod, node) for node in self.trace.nodes for pod in placed[node.name]
        )

    def _refused(self, placed: Mapping[str, Sequence[Pod]]) -> Check:
        """Nodes only fill up, so that what was refused once cannot fit in the end."""
        left = [(node, _left(node.capacity, placed[node.name])) for node in self.trace.nodes]
        refused = set(self._unplaced)
        fitting = [
            pod.key
            for pod in self.trace.pods
            if pod.key in refused
            and any(_has_room(room, pod) and _admitted(pod, node) for node, room in left)
        ]
        return equal("pods refused for which there is room", 0, len(fitting))


def _admitted(pod: Pod, node: Node) -> bool:
    """What the plain scheduler says of the pod's own rules; it is imported for proofs alone."""
    from cnbench.scheduler.reference.rules import admitted

    return admitted(pod, node)


def _by_node(cluster: Cluster, pods: Sequence[Pod]) -> Mapping[str, Sequence[Pod]]:
    placed: defaultdict[str, list[Pod]] = defaultdict(list)
    for pod in pods:
        node = cluster.node_of(pod.key)
        if node is not None:
            placed[node].append(pod)
    return placed


def _left(capacity: Mapping[str, int | str], pods: Sequence[Pod]) -> dict[str, int]:
    """What the pods leave of a node's capacity; one pod takes one of ``pods``."""
    left = {name: int(amount) for name, amount in capacity.items()}
    for pod in pods:
        left["pods"] -= 1
        for name, amount in pod.requests.items():
            left[name] = left.get(name, 0) - int(amount)
    return left


def _has_room(left: Mapping[str, int], pod: Pod) -> bool:
    return left["pods"] > 0 and all(
        int(amount) <= left.get(name, 0) for name, amount in pod.requests.items() if amount
    )


@contextlib.contextmanager
def open_trace(params: Point, lab: Lab) -> Iterator[TraceSubject]:
    """The trace of a folder, read once for a group.

    Raises:
        UsageError: it cannot be read; the message names the file, the row and the column.
    """
    folder = params.text("trace")
    trace = lab.fixture(folder, lambda: contextlib.nullcontext(_loaded(Path(folder))))
    yield TraceSubject(trace, _PERCENTAGES[params.text("scored")], lab.clock)


def _loaded(folder: Path) -> Trace:
    from cnbench.scheduler import SchedulerInputError
    from cnbench.scheduler.inputs.openb import load_trace

    try:
        return load_trace(folder)
    except SchedulerInputError as error:
        raise UsageError(
            str(error), "give the folder of Alibaba's openb trace, as it was published"
        ) from None
