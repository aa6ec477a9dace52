"""What each score gives a node, in plain loops over nodes and pods; see ``cluster``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from cnbench.scheduler.reference import rules
from cnbench.scheduler.reference.cluster import (
    HOSTNAME,
    ZONE,
    PlainCluster,
    PlainFilters,
    Templates,
)

if TYPE_CHECKING:
    from cnbench.scheduler import Pod, PodAffinityTerm

_MIB = 2**20
_SCORED_BY_DEFAULT = {"cpu": 100, "memory": 200 * _MIB}
_SMALLEST_IMAGES, _LARGEST_IMAGE = 23 * _MIB, 1000 * _MIB
_HARD_AFFINITY = 1


class PlainScores:
    """The scores of one pod; ``scored`` are the numbers of the nodes that take part."""

    def __init__(self, cluster: PlainCluster, pod: Pod, scored: Sequence[int]) -> None:
        self._cluster = cluster
        self._pod = pod
        self._scored = scored
        self._filters = PlainFilters(cluster, pod)

    def raw(self, plugin: str, node: int) -> int:
        """The score of this name before it is normalised."""
        if plugin in ("LeastAllocated", "MostAllocated"):
            return self._allocated(node, most=plugin == "MostAllocated")
        if plugin == "NodeAffinity":
            return rules.preferred_weight(self._pod, self._cluster.nodes[node])
        if plugin == "TaintToleration":
            return rules.dislikes(self._pod, self._cluster.nodes[node])
        return {
            "BalancedAllocation": self._balanced,
            "SelectorSpread": self._same_service,
            "PodTopologySpread": self._spread,
            "ImageLocality": self._images,
            "InterPodAffinity": self._pulled,
        }[plugin](node)

    def normalised(self, plugin: str, node: int, raw: Mapping[int, int]) -> int:
        """The node's part of 0 to 100; ``raw`` are the raw scores of all nodes that take part."""
        score, values = raw[node], raw.values()
        most, least = max(values), min(values)
        if plugin == "NodeAffinity":
            return 100 * score // most if most else 0
        if plugin == "TaintToleration":
            return 100 - 100 * score // most if most else 100
        if plugin == "InterPodAffinity":
            return int(100 * ((score - least) / (most - least))) if most > least else 0
        if plugin == "PodTopologySpread" and self._filters.constraints("ScheduleAnyway"):
            return 100 * (most + least - score) // most if most else 100
        if plugin == "SelectorSpread":
            return self._few(node, raw)
        return score

    def _allocated(self, node: int, *, most: bool) -> int:
        shares = []
        for resource, default in _SCORED_BY_DEFAULT.items():
            running = (self._cluster.templates[n] for n in self._cluster.running_on[node])
            pods = [self._pod, *running]
            requested = sum(int(pod.requests.get(resource, default)) for pod in pods)
            capacity = int(self._cluster.nodes[node].capacity[resource])
            used = min(requested, capacity)
            shares.append((used if most else capacity - used) * 100 // capacity)
        return sum(shares) // len(shares)

    def _balanced(self, node: int) -> int:
        used = []
        for resource in _SCORED_BY_DEFAULT:
            asked = int(self._pod.requests.get(resource, 0))
            total = self._cluster.requested(node, resource) + asked
            used.append(min(1.0, total / int(self._cluster.nodes[node].capacity[resource])))
        return int((1 - abs(used[0] - used[1]) / 2) * 100)

    def _same_service(self, node: int) -> int:
        if self._pod.topology_spread_constraints:
            return 0
        return self._cluster.count_on(node, self._service)

    @cached_property
    def _service(self) -> Templates:
        return self._cluster.meant(rules.as_given(self._pod.spec.spread_selector), self._pod)

    def _few(self, node: int, raw: Mapping[int, int]) -> int:
        """SelectorSpread: a third for the node's own pods, two for its zone's."""
        if self._pod.topology_spread_constraints:
            return 0
        zones: dict[str, int] = {}
        for number, count in raw.items():
            zone = self._cluster.nodes[number].labels[ZONE]
            zones[zone] = zones.get(zone, 0) + count
        most, most_in_zone = max(raw.values()), max(zones.values())
        if not most:
            return 100
        here = zones[self._cluster.nodes[node].labels[ZONE]]
        of_node = 100 * ((most - raw[node]) / most)
        of_zone = 100 * ((most_in_zone - here) / most_in_zone)
        return int(of_node * (1 - 2 / 3) + 2 / 3 * of_zone)

    def _spread(self, node: int) -> int:
        constraints = self._filters.constraints("ScheduleAnyway")
        total = 0.0
        for constraint in constraints:
            key = constraint.topology_key
            if key == HOSTNAME:
                meant = self._cluster.meant(rules.selector_of(constraint), self._pod)
                count = self._cluster.count_on(node, meant)
                domains = len(self._scored)
            else:
                value = self._cluster.nodes[node].labels[key]
                count = self._filters.spread_counts(constraint).get(value, 0)
                domains = self._values(key)
            total += count * math.log(domains + 2) + (constraint.max_skew - 1)
        return math.floor(total + 0.5)

    def _values(self, key: str) -> int:
        return len({self._cluster.nodes[number].labels[key] for number in self._scored})

    def _images(self, node: int) -> int:
        """The bytes of the pod's images that are there, each by the share of nodes with it."""
        held = self._cluster.nodes[node].images
        there = 0
        for image in self._pod.spec.images:
            if image in held:
                there += int(int(held[image]) * (self._holders[image] / len(self._cluster.nodes)))
        largest = _LARGEST_IMAGE * len(self._pod.spec.images)
        within = min(max(there, _SMALLEST_IMAGES), largest)
        return 100 * (within - _SMALLEST_IMAGES) // (largest - _SMALLEST_IMAGES)

    @cached_property
    def _holders(self) -> dict[str, int]:
        images = self._pod.spec.images
        return {image: sum(image in n.images for n in self._cluster.nodes) for image in images}

    def _pulled(self, node: int) -> int:
        return sum(
            weight * self._cluster.count_in_place(key, node, templates)
            for key, weight, templates in self._pulls
        )

    @cached_property
    def _pulls(self) -> list[tuple[str, int, Templates]]:
        """InterPodAffinity's terms: label, weight, and the pods that pull to where they run.

        The pod's own terms, one by one; those of placed pods that mean the pod, gathered.
        """
        pulls = [
            (weighted.term.topology_key, sign * weighted.weight, self._meant(weighted.term))
            for sign, weighted in rules.preferred(self._pod)
        ]
        held: dict[tuple[str, int], set[int]] = {}
        for number, template in enumerate(self._cluster.templates):
            for sign, weighted in rules.preferred(template):
                if self._is_meant(weighted.term):
                    key = weighted.term.topology_key, sign * weighted.weight
                    held.setdefault(key, set()).add(number)
            for term in rules.required(template.pod_affinity):
                if self._is_meant(term):
                    held.setdefault((term.topology_key, _HARD_AFFINITY), set()).add(number)
        return [*pulls, *((key, weight, frozenset(pods)) for (key, weight), pods in held.items())]

    def _meant(self, term: PodAffinityTerm) -> Templates:
        return self._cluster.meant(rules.selector_of(term), self._pod)

    def _is_meant(self, term: PodAffinityTerm) -> bool:
        return rules.selects(rules.selector_of(term), self._pod.labels)
