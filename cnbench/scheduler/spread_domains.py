"""Topology spread constraints, compiled: which pods count, on which nodes, in which domains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Ints, Mask
from cnbench.scheduler.columns.node_labels import HOSTNAME, ZONE_KEYS
from cnbench.scheduler.columns.pod_sets import spread_query
from cnbench.scheduler.eligibility import eligibility
from cnbench.scheduler.model.placement_rules import HONOR, SCHEDULE_ANYWAY, TopologySpreadConstraint
from cnbench.scheduler.model.selectors import LabelSelector
from cnbench.scheduler.settings import SYSTEM
from cnbench.scheduler.view import View

# Source: kubernetes podtopologyspread/plugin.go, systemDefaultConstraints.
SYSTEM_CONSTRAINTS = (
    TopologySpreadConstraint(3, HOSTNAME, SCHEDULE_ANYWAY),
    TopologySpreadConstraint(5, ZONE_KEYS[1], SCHEDULE_ANYWAY),
)


class SpreadConstraint:
    """One constraint of a shape.

    Args:
        view: any view of the cluster under the release that counts.
        shape: the pod's shape.
        given: the constraint.
        keys: the labels that a node must have to count: those of all constraints, or none of
            them for the system's.

    Attributes:
        max_skew, key, min_domains: as given.
        column: the label's column.
        tally: the pods counted.
        self_match: 1 if the pod itself would be counted, else 0.
    """

    def __init__(
        self, view: View, shape: PodShape, given: TopologySpreadConstraint, keys: Sequence[str]
    ) -> None:
        cluster, spec, heeds = view.cluster, shape.spec, view.release
        shared = set(given.match_label_keys) if heeds.match_label_keys else ()
        labels = {key: value for key, value in spec.labels if key in shared}
        selector = given.label_selector
        if isinstance(selector, LabelSelector) and labels:
            selector = selector.requiring(labels)
        counted = selector if isinstance(selector, LabelSelector) else None
        query = spread_query(spec.namespace, counted)
        self.max_skew = given.max_skew
        self.key = given.topology_key
        self.min_domains = (given.min_domains if heeds.min_domains else None) or 1
        self.column = cluster.topology(self.key)
        self.tally = cluster.pod_sets.tally(query)
        self.self_match = int(counted is not None and counted.matches(shape.pods.labels))
        self._cluster = cluster
        self._shape = shape
        says = heeds.node_inclusion_policies
        honours_affinity = given.node_affinity_policy == HONOR if says else True
        honours_taints = given.node_taints_policy == HONOR if says else False
        self._policies = self._masks(honours_affinity, honours_taints)
        self._columns = [cluster.topology(key) for key in keys]
        self._all_count = not self._policies and all(column.complete for column in self._columns)
        # What makes a node count, and thus what kept answers are known by. A policy that is not
        # honoured is None: () would be the tolerations of a pod that has none and honours taints.
        self._rules = cluster.content(
            (
                (spec.node_selector, spec.node_affinity.required) if honours_affinity else None,
                spec.tolerations if honours_taints else None,
            )
        )
        self._label_set = cluster.content(tuple(keys))
        self._domains_key = ("domains", self._rules, self._label_set, self.key)
        self._eligible_key = ("spread", self._rules, self._label_set)

    def eligible(self) -> Mask | None:
        """The nodes that count: with every constraint's label, admitted as the policies say."""
        if self._all_count:
            return None
        return self._cluster.static.get(self._eligible_key, self._find_eligible)

    def _find_eligible(self) -> Mask:
        return _all_of([*self._policies, *(column.present for column in self._columns)])

    def _masks(self, honours_affinity: bool, honours_taints: bool) -> list[Mask]:
        """What the policies say of the nodes, as far as they leave any out."""
        own = eligibility(self._cluster, self._shape)
        admitted = own.required() if honours_affinity else None
        tolerated = own.tolerated() if honours_taints else None
        return [mask for mask in (admitted, tolerated) if mask is not None]

    def domains(self) -> Mask | None:
        """The label values some eligible node has, the last entry False; None for all of them."""
        nodes = self.eligible()
        if nodes is None:
            return None
        return self._cluster.static.get(self._domains_key, lambda: _values_on(self, nodes))

    def counts(self) -> Ints:
        """Matching pods on eligible nodes per label value (int64; the last: without label)."""
        return self.tally.per_value(self.column, self.eligible(), (self._rules, self._label_set))

    def counts_everywhere(self) -> Ints:
        """Matching pods on all nodes of domains with an eligible node; 0 in the others (int64)."""
        counts = self.tally.per_value(self.column)
        domains = self.domains()
        if domains is not None:
            counts[~domains] = 0
        return counts


def _all_of(masks: Sequence[Mask]) -> Mask:
    every: Mask = np.logical_and.reduce(masks)
    return every


def _values_on(constraint: SpreadConstraint, nodes: Mask) -> Mask:
    column = constraint.column
    there = np.zeros(column.missing + 1, dtype=bool)
    there[column.codes[nodes]] = True
    there[column.missing] = False
    return there


class Constraints:
    """What spreads a shape's pods for one verdict.

    Attributes:
        wanted: the constraints, in order.
        needs_labels: whether nodes that lack one of their labels are left out of the scores.
    """

    def __init__(self, view: View, shape: PodShape, verdict: str) -> None:
        given = [
            constraint
            for constraint in _given(view, shape)
            if constraint.when_unsatisfiable == verdict
        ]
        self.needs_labels = (
            bool(shape.spec.topology_spread_constraints)
            or view.settings.default_constraints != SYSTEM
            or not view.release.spreads_without_zone
        )
        keys = [constraint.topology_key for constraint in given] if self.needs_labels else []
        self.wanted = [SpreadConstraint(view, shape, constraint, keys) for constraint in given]


def _given(view: View, shape: PodShape) -> Sequence[TopologySpreadConstraint]:
    """The pod's own constraints, or if it has none the profile's for what selects the pod."""
    spec, selector = shape.spec, shape.spec.spread_selector
    if spec.topology_spread_constraints or selector is None or selector.empty:
        return spec.topology_spread_constraints
    defaults = view.settings.default_constraints
    if isinstance(defaults, str):
        defaults = SYSTEM_CONSTRAINTS
    return [replace(constraint, label_selector=selector) for constraint in defaults]


def constraints(view: View, shape: PodShape, verdict: str) -> Constraints:
    """The shape's constraints with this whenUnsatisfiable, compiled once for each release."""
    name = (verdict, view.release.minor, view.settings.default_constraints)
    found = shape.compiled.get(name)
    if not isinstance(found, Constraints):
        found = shape.compiled[name] = Constraints(view, shape, verdict)
    return found


def labelled(view: View, wanted: Constraints) -> Mask | None:
    """The nodes of the view that have every constraint's label; None for all of them."""
    if not wanted.needs_labels:
        return None
    masks = [view.column(c.column.present) for c in wanted.wanted if not c.column.complete]
    return _all_of(masks) if masks else None
