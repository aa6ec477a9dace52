"""A made-up cluster as lists, and what filters say of it in plain loops: the proof's other side.

Everything is made anew from the cluster's seed: its nodes, its pods and where they run. The rules
are those of Kubernetes 1.30's plugins, in Python's integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cnbench.scheduler.reference import rules

if TYPE_CHECKING:
    from cnbench.scheduler import LabelSelector, Node, Pod, TopologySpreadConstraint
    from cnbench.scheduler.inputs.synthetic import Mix

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
Templates = frozenset[int]


@dataclass
class PlainCluster:
    """A made-up cluster.

    Attributes:
        nodes: all nodes.
        templates: a pod for each replica set.
        running_on: for each node the numbers of the templates of its pods.
    """

    nodes: Sequence[Node]
    templates: Sequence[Pod]
    running_on: Sequence[Sequence[int]]
    _counts: dict[tuple[str, Templates], dict[str, int]] = field(default_factory=dict)

    @classmethod
    def made(cls, mix: Mix) -> PlainCluster:
        """The cluster of a mix."""
        from cnbench.scheduler.inputs.synthetic import (
            nodes_of_pods,
            synthetic_nodes,
            synthetic_templates,
        )

        templates = synthetic_templates(mix)
        running_on: list[list[int]] = [[] for _ in range(mix.nodes)]
        for number, node in enumerate(nodes_of_pods(mix)):
            running_on[node].append(number % len(templates))
        return cls(synthetic_nodes(mix), templates, running_on)

    def meant(self, selector: LabelSelector | None, by: Pod) -> Templates:
        """The templates that a selector of a pod means: those in its namespace."""
        return frozenset(
            number
            for number, template in enumerate(self.templates)
            if template.namespace == by.namespace and rules.selects(selector, template.labels)
        )

    def requested(self, node: int, resource: str) -> int:
        """What the pods of a node request of a resource."""
        pods = (self.templates[number] for number in self.running_on[node])
        return sum(int(pod.requests.get(resource, 0)) for pod in pods)

    def count_on(self, node: int, templates: Templates) -> int:
        """The pods of these templates on a node."""
        return sum(number in templates for number in self.running_on[node])

    def count_in_place(self, key: str, node: int, templates: Templates) -> int:
        """The pods of these templates wherever a label has the node's value."""
        if key == HOSTNAME:
            return self.count_on(node, templates)
        counts = self._counts.get((key, templates))
        if counts is None:
            counts = self._counts[key, templates] = {}
            for place, running in zip(self.nodes, self.running_on, strict=True):
                here = sum(number in templates for number in running)
                counts[place.labels[key]] = counts.get(place.labels[key], 0) + here
        return counts[self.nodes[node].labels[key]]


class PlainFilters:
    """What each filter says of a node, for one pod."""

    def __init__(self, cluster: PlainCluster, pod: Pod) -> None:
        self.cluster = cluster
        self.pod = pod
        self._spread: dict[TopologySpreadConstraint, dict[str, int]] = {}

    def feasible(self, plugin: str, node: int) -> bool:
        """What the filter of this name says."""
        if plugin == "NodeResourcesFit":
            return self._fits(node)
        if plugin == "NodeAffinity":
            return rules.admitted(self.pod, self.cluster.nodes[node])
        if plugin == "TaintToleration":
            return rules.tolerated(self.pod, self.cluster.nodes[node])
        if plugin == "InterPodAffinity":
            return self._near(node) and not self._repelled(node)
        return all(self._even(constraint, node) for constraint in self.constraints("DoNotSchedule"))

    def constraints(self, verdict: str) -> list[TopologySpreadConstraint]:
        """The pod's spread constraints of one kind; without any, those of the system."""
        given = self.pod.topology_spread_constraints or self._of_the_system()
        return [constraint for constraint in given if constraint.when_unsatisfiable == verdict]

    def _of_the_system(self) -> Sequence[TopologySpreadConstraint]:
        from cnbench.scheduler.model.placement_rules import TopologySpreadConstraint

        selector = rules.as_given(self.pod.spec.spread_selector)
        if selector is None or selector.empty:
            return ()
        skews = ((HOSTNAME, 3), (ZONE, 5))
        return [TopologySpreadConstraint(n, key, "ScheduleAnyway", selector) for key, n in skews]

    def spread_counts(self, constraint: TopologySpreadConstraint) -> dict[str, int]:
        """The pods that a constraint counts by the label's value, on nodes that admit the pod."""
        found = self._spread.get(constraint)
        if found is None:
            found = self._spread[constraint] = {}
            meant = self.cluster.meant(rules.selector_of(constraint), self.pod)
            for number, node in enumerate(self.cluster.nodes):
                if rules.admitted(self.pod, node):
                    value = node.labels[constraint.topology_key]
                    here = self.cluster.count_on(number, meant)
                    found[value] = found.get(value, 0) + here
        return found

    def _fits(self, node: int) -> bool:
        capacity = self.cluster.nodes[node].capacity
        if len(self.cluster.running_on[node]) + 1 > int(capacity["pods"]):
            return False
        return all(
            int(amount) <= int(capacity.get(name, 0)) - self.cluster.requested(node, name)
            for name, amount in self.pod.requests.items()
            if amount
        )

    def _near(self, node: int) -> bool:
        """Whether there is a pod in the place of each term that matches all of them.

        The first of its kind may go anywhere: where no pod matches, but the pod itself does.
        """
        terms = list(rules.required(self.pod.pod_affinity))
        meant = [self.cluster.meant(rules.selector_of(term), self.pod) for term in terms]
        together = frozenset.intersection(*meant) if meant else frozenset()
        if not any(together.intersection(running) for running in self.cluster.running_on):
            return all(rules.selects(rules.selector_of(t), self.pod.labels) for t in terms)
        return all(self.cluster.count_in_place(t.topology_key, node, together) for t in terms)

    def _repelled(self, node: int) -> bool:
        """Whether the pod wants to stay away from one in this place, or that one from it."""
        for term in rules.required(self.pod.pod_anti_affinity):
            meant = self.cluster.meant(rules.selector_of(term), self.pod)
            if self.cluster.count_in_place(term.topology_key, node, meant):
                return True
        holders: dict[str, set[int]] = {}
        for number, template in enumerate(self.cluster.templates):
            for term in rules.required(template.pod_anti_affinity):
                if rules.selects(rules.selector_of(term), self.pod.labels):
                    holders.setdefault(term.topology_key, set()).add(number)
        return any(
            self.cluster.count_in_place(key, node, frozenset(numbers))
            for key, numbers in holders.items()
        )

    def _even(self, constraint: TopologySpreadConstraint, node: int) -> bool:
        counts = self.spread_counts(constraint)
        here = counts.get(self.cluster.nodes[node].labels[constraint.topology_key], 0)
        itself = rules.selects(rules.selector_of(constraint), self.pod.labels)
        return here + itself - min(counts.values()) <= constraint.max_skew
