"""Topology spread constraints, compiled: which pods count, on which nodes, in which domains."""

from collections.abc import Sequence

import numpy as np

from cnbench.scheduler.cluster import Shape
from cnbench.scheduler.columns.arrays import Ints, Mask
from cnbench.scheduler.columns.pod_sets import spread_query
from cnbench.scheduler.eligibility import eligibility
from cnbench.scheduler.model.placement_rules import HONOR, TopologySpreadConstraint
from cnbench.scheduler.model.selectors import LabelSelector
from cnbench.scheduler.view import View


class SpreadConstraint:
    """One constraint of a shape.

    Attributes:
        max_skew, key, min_domains: as given.
        column: the label's column.
        tally: the pods counted.
        self_match: 1 if the pod itself would be counted, else 0.
    """

    def __init__(
        self, view: View, shape: Shape, given: TopologySpreadConstraint, keys: Sequence[str]
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
        self._honours_affinity = given.node_affinity_policy == HONOR if says else True
        self._honours_taints = given.node_taints_policy == HONOR if says else False
        self._columns = [cluster.topology(key) for key in keys]
        complete = all(column.complete for column in self._columns)
        self._all_count = complete and not self._policies()
        rules = (spec.node_selector, spec.node_affinity.required) if self._honours_affinity else ()
        self._rules = cluster.content((rules, spec.tolerations if self._honours_taints else ()))
        self._label_set = cluster.content(tuple(keys))
        self._domains_key = ("domains", self._rules, self._label_set, self.key)
        self._eligible_key = ("spread", self._rules, self._label_set)

    def eligible(self) -> Mask | None:
        """The nodes that count: with every constraint's label, admitted as the policies say."""
        if self._all_count:
            return None
        return self._cluster.static.get(self._eligible_key, self._find_eligible)

    def _find_eligible(self) -> Mask:
        return _all_of([*self._policies(), *(column.present for column in self._columns)])

    def _policies(self) -> list[Mask]:
        own = eligibility(self._cluster, self._shape)
        admitted = own.required() if self._honours_affinity else None
        tolerated = own.tolerated() if self._honours_taints else None
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


def _all_of(masks: Sequence[Mask]) -> Mask:
    every: Mask = np.logical_and.reduce(masks)
    return every


def _values_on(constraint: SpreadConstraint, nodes: Mask) -> Mask:
    column = constraint.column
    there = np.zeros(column.missing + 1, dtype=bool)
    there[column.codes[nodes]] = True
    there[column.missing] = False
    return there


def constraints(view: View, shape: Shape, verdict: str) -> list[SpreadConstraint]:
    """The shape's constraints with this whenUnsatisfiable, compiled once for each release."""
    name = (verdict, view.release.minor)
    found = shape.compiled.get(name)
    if not isinstance(found, list):
        given = [
            constraint
            for constraint in shape.spec.topology_spread_constraints
            if constraint.when_unsatisfiable == verdict
        ]
        keys = [constraint.topology_key for constraint in given]
        found = [SpreadConstraint(view, shape, one, keys) for one in given]
        shape.compiled[name] = found
    return found


def labelled(view: View, wanted: Sequence[SpreadConstraint]) -> Mask | None:
    """The nodes of the view that have every constraint's label; None for all of them."""
    masks = [view.column(c.column.present) for c in wanted if not c.column.complete]
    return _all_of(masks) if masks else None
