"""Why a pod goes where it goes, or nowhere: one answer with all that led to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from cnbench.scheduler.engine import Scheduler
from cnbench.scheduler.model.objects import Pod


@dataclass(frozen=True)
class ScoredNode:
    """A feasible node.

    Attributes:
        node: its name.
        total: the weighted sum of all scores.
        parts: each plugin's part of it: normalised score times weight.
        raw: each plugin's score before it is normalised.
    """

    node: str
    total: int
    parts: Mapping[str, int]
    raw: Mapping[str, int]

    def as_json(self) -> dict[str, object]:
        """As one JSON object."""
        return {
            "node": self.node,
            "total": self.total,
            "weighted": dict(self.parts),
            "raw": dict(self.raw),
        }


@dataclass(frozen=True)
class Explanation:
    """What was answered about one pod.

    Attributes:
        pod: its namespace and name.
        nodes: how many nodes there are.
        rejected: for each node that is not feasible, why not, a line a filter.
        scored: the feasible nodes, the best first; between equals the cluster's order.
        weights: the weight of each score.
    """

    pod: str
    nodes: int
    rejected: Mapping[str, tuple[str, ...]]
    scored: tuple[ScoredNode, ...]
    weights: Mapping[str, int]

    @property
    def node(self) -> str | None:
        """The node it goes to; None while it is pending."""
        return self.scored[0].node if self.scored else None

    @property
    def by_reason(self) -> dict[str, int]:
        """How many nodes each reason keeps it from, the most frequent first."""
        return dict(Counter(why for reasons in self.rejected.values() for why in reasons))

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """The reasons and how many nodes they concern, the most frequent first."""
        return sorted(self.by_reason.items(), key=lambda counted: (-counted[1], counted[0]))

    def as_json(self) -> dict[str, object]:
        """As one JSON object."""
        return {
            "pod": self.pod,
            "node": self.node,
            "nodes": self.nodes,
            "feasible": len(self.scored),
            "reasons": dict(self.reasons),
            "rejected": {node: list(reasons) for node, reasons in self.rejected.items()},
            "scored": [scored_node.as_json() for scored_node in self.scored],
            "weights": dict(self.weights),
        }


def explain(scheduler: Scheduler, pod: Pod) -> Explanation:
    """Ask a scheduler about a pod; nothing is placed.

    Raises:
        SchedulerInputError: the pod has a field without which there is no answer.
    """
    fits = scheduler.filter(pod)
    names = scheduler.cluster.node_names
    rejected = {
        names[number]: tuple(fits.reasons(number))
        for number, feasible in enumerate(fits.tolist())
        if not feasible
    }
    return Explanation(
        pod.key, len(names), rejected, _scored(scheduler, pod, fits.names()), scheduler.weights
    )


def _scored(scheduler: Scheduler, pod: Pod, feasible: list[str]) -> tuple[ScoredNode, ...]:
    if not feasible:
        return ()
    scores = scheduler.score(pod, feasible)
    parts, totals = scores.weighted, scores.total.tolist()
    order = sorted(range(len(totals)), key=lambda place: -totals[place])
    return tuple(
        ScoredNode(
            scores.node_names[place],
            totals[place],
            {name: int(part[place]) for name, part in parts.items()},
            {name: int(raw[place]) for name, raw in scores.raw.items()},
        )
        for place in order
    )
