"""Topology spread constraints, compiled: which pods count, on which nodes, in which domains."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import partial

from cnbench.scheduler import loops
from cnbench.scheduler.cluster import Cluster, PodShape
from cnbench.scheduler.columns.arrays import Ints, Mask
from cnbench.scheduler.columns.node_labels import HOSTNAME, ZONE_KEYS
from cnbench.scheduler.columns.pod_sets import spread_query
from cnbench.scheduler.eligibility import eligibility
from cnbench.scheduler.model.placement_rules import HONOR, SCHEDULE_ANYWAY, TopologySpreadConstraint
from cnbench.scheduler.model.selectors import LabelSelector
from cnbench.scheduler.releases import KubernetesRelease
from cnbench.scheduler.settings import SYSTEM
from cnbench.scheduler.view import View

# Source: kubernetes podtopologyspread/plugin.go, systemDefaultConstraints.
SYSTEM_CONSTRAINTS = (
    TopologySpreadConstraint(3, HOSTNAME, SCHEDULE_ANYWAY),
    TopologySpreadConstraint(5, ZONE_KEYS[1], SCHEDULE_ANYWAY),
)


class CountedNodes:
    """The nodes whose pods count for a shape's constraints: those that have every label.

    Args:
        cluster: the cluster.
        shape: the pod's shape.
        keys: the labels that a node must have: those of all constraints, or none for the system's.
        honours_affinity, honours_taints: whether nodes that the pod's node affinity or taints keep
            it from are left out.

    Attributes:
        rules: what makes a node count: the same for the same nodes, () where all do.
    """

    def __init__(
        self,
        cluster: Cluster,
        shape: PodShape,
        keys: Sequence[str],
        honours_affinity: bool,
        honours_taints: bool,
    ) -> None:
        own = eligibility(cluster, shape)
        admitted = own.required() if honours_affinity else None
        tolerated = own.tolerated() if honours_taints else None
        masks: dict[Hashable, Mask] = {}
        if admitted is not None:
            masks["affinity", own.affinity] = admitted
        if tolerated is not None:
            masks["taints", own.tolerations] = tolerated
        for key in keys:
            column = cluster.topology(key)
            if not column.complete:
                masks["label", key] = column.present
        self.rules = tuple(masks)
        self._masks = list(masks.values())
        self._cluster = cluster

    def mask(self) -> Mask | None:
        """The nodes (bool); None for all of them."""
        if not self._masks:
            return None
        if len(self._masks) == 1:
            return self._masks[0]
        both = partial(loops.all_of, self._masks, len(self._cluster))
        return self._cluster.static.get(("spread", self.rules), both)


class SpreadConstraint:
    """One constraint of a shape.

    Args:
        view: any view of the cluster under the release that counts.
        shape: the pod's shape.
        given: the constraint.
        counted: the nodes whose pods count.

    Attributes:
        max_skew, key, min_domains: as given.
        column: the label's column.
        tally: the pods counted.
        self_match: 1 if the pod itself would be counted, else 0.
    """

    def __init__(
        self, view: View, shape: PodShape, given: TopologySpreadConstraint, counted: CountedNodes
    ) -> None:
        cluster, spec, heeds = view.cluster, shape.spec, view.release
        selector = given.label_selector
        if given.match_label_keys and heeds.match_label_keys:
            shared = set(given.match_label_keys)
            labels = {key: value for key, value in spec.labels if key in shared}
            if isinstance(selector, LabelSelector) and labels:
                selector = selector.requiring(labels)
        meant = selector if isinstance(selector, LabelSelector) else None
        self.max_skew = given.max_skew
        self.key = given.topology_key
        self.min_domains = (given.min_domains if heeds.min_domains else None) or 1
        self.column = cluster.topology(self.key)
        self.tally = cluster.pod_sets.tally(spread_query(spec.namespace, meant))
        self.self_match = int(meant is not None and meant.matches(dict(spec.labels)))
        self._cluster = cluster
        self._counted = counted

    def domains(self) -> Mask | None:
        """The label values some counted node has, the last entry False; None for all of them."""
        nodes = self._counted.mask()
        if nodes is None:
            return None
        key = ("domains", self._counted.rules, self.key)
        return self._cluster.static.get(key, partial(self._find_domains, nodes))

    def _find_domains(self, nodes: Mask) -> Mask:
        column = self.column
        there = loops.values_on(nodes, column.codes, column.missing + 1)
        there[column.missing] = False
        return there

    def counts(self) -> Ints:
        """Matching pods on counted nodes per label value (int64; the last: without label)."""
        return self.tally.per_value(self.column, self._counted.mask(), self._counted.rules)

    def counts_everywhere(self) -> Ints:
        """Matching pods on all nodes of domains with a counted node; 0 in the others (int64)."""
        counts = self.tally.per_value(self.column)
        domains = self.domains()
        if domains is not None:
            counts[~domains] = 0
        return counts


class Constraints:
    """What spreads a shape's pods for one verdict.

    Attributes:
        wanted: the constraints, in order.
        needs_labels: whether nodes that lack one of their labels are left out of the scores.
        complete: whether every node has all of their labels.
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
        counted: dict[tuple[bool, bool], CountedNodes] = {}
        self.wanted: list[SpreadConstraint] = []
        for constraint in given:
            honoured = _honoured(view.release, constraint)
            if honoured not in counted:
                counted[honoured] = CountedNodes(view.cluster, shape, keys, *honoured)
            self.wanted.append(SpreadConstraint(view, shape, constraint, counted[honoured]))
        self.complete = all(constraint.column.complete for constraint in self.wanted)


def _honoured(release: KubernetesRelease, given: TopologySpreadConstraint) -> tuple[bool, bool]:
    """Whether a constraint counts by node affinity, and by taints."""
    if not release.node_inclusion_policies:
        return True, False
    return given.node_affinity_policy == HONOR, given.node_taints_policy == HONOR


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
    return loops.all_of(masks, view.size) if masks else None
