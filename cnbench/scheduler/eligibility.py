"""Which nodes a pod's own rules admit, whatever runs there; kept by content, not by pod."""

from collections.abc import Iterable, Sequence

import numpy as np

from cnbench.scheduler import loops
from cnbench.scheduler.cluster import Cluster, PodShape
from cnbench.scheduler.columns.arrays import Codes, Ints, Mask
from cnbench.scheduler.columns.caches import frozen
from cnbench.scheduler.loops.by_numpy import Pull
from cnbench.scheduler.model.node_rules import NodeSelectorTerm, PreferredSchedulingTerm
from cnbench.scheduler.model.placement_rules import PREFER_NO_SCHEDULE, Taint, Toleration
from cnbench.scheduler.model.selectors import Requirement
from cnbench.scheduler.model.spec import Spec
from cnbench.scheduler.view import View


class Scaled:
    """Scores of all nodes that depend on nodes and rules alone, and what becomes of them.

    Args:
        raw: one per node, or per kind of nodes (int64, not negative).
        kinds: each node's kind, where there are kinds, none of which is without a node.
        reverse: whether less is better.

    Attributes:
        raw: one per node (int64).
        of_all: the same brought to 0 .. 100 among all nodes.
    """

    def __init__(self, raw: Ints, kinds: Codes | None = None, *, reverse: bool) -> None:
        scaled = loops.scaled_to_top(raw, reverse)
        self.raw = frozen(raw if kinds is None else loops.looked_up(raw, kinds))
        self.of_all = frozen(scaled if kinds is None else loops.looked_up(scaled, kinds))
        self._reverse = reverse

    def of(self, view: View) -> tuple[Ints, Ints]:
        """A view's scores, raw and brought to 0 .. 100 among its nodes."""
        if view.nodes is None:
            return self.raw, self.of_all
        raw = view.column(self.raw)
        return raw, loops.scaled_to_top(raw, self._reverse)


class Eligibility:
    """The node rules of a shape, and what answers them.

    Attributes:
        affinity: nodeSelector and required node affinity as a number, of equal ones the same.
        tolerations: the same of the tolerations.
    """

    def __init__(self, cluster: Cluster, shape: PodShape) -> None:
        spec = shape.spec
        self._cluster = cluster
        self._spec = spec
        self._restricted = bool(spec.node_selector) or spec.node_affinity.required is not None
        self._tainted = any(cluster.taint_sets)
        self.affinity = cluster.content((spec.node_selector, spec.node_affinity.required))
        self.tolerations = cluster.content(spec.tolerations)
        self._preferred = cluster.content(tuple(spec.node_affinity.preferred))

    def required(self) -> Mask | None:
        """The nodes that nodeSelector and required node affinity admit; None for all."""
        if not self._restricted:
            return None
        key = ("required", self.affinity)
        return self._cluster.static.get(key, lambda: _required(self._cluster, self._spec))

    def tolerated(self) -> Mask | None:
        """The nodes whose NoSchedule and NoExecute taints are tolerated; None for all."""
        if not self._tainted:
            return None
        key = ("tolerated", self.tolerations)
        return self._cluster.static.get(key, lambda: _tolerated(self._cluster, self._spec))

    def preference(self, added: Sequence[PreferredSchedulingTerm] = ()) -> Scaled | None:
        """The weights of the preferred node terms each node matches, summed; None for all 0.

        Args:
            added: the profile's terms, besides the pod's own.
        """
        own = self._spec.node_affinity.preferred
        terms = (*own, *added)
        if not terms:
            return None
        number = self._cluster.content(terms) if added else self._preferred
        return self._cluster.static.get(
            ("preference", number), lambda: Scaled(_preference(self._cluster, terms), reverse=False)
        )

    def dislikes(self) -> Scaled | None:
        """Each node's PreferNoSchedule taints that are not tolerated; None for all 0."""
        if not self._tainted:
            return None
        cluster, spec = self._cluster, self._spec
        return cluster.static.get(
            ("dislikes", self.tolerations),
            lambda: Scaled(_dislikes(cluster, spec), cluster.taints, reverse=True),
        )


def eligibility(cluster: Cluster, shape: PodShape) -> Eligibility:
    """The shape's node rules, prepared once."""
    found = shape.compiled.get("eligibility")
    if not isinstance(found, Eligibility):
        found = shape.compiled["eligibility"] = Eligibility(cluster, shape)
    return found


def _required(cluster: Cluster, spec: Spec) -> Mask:
    masks = [
        cluster.topology(key).where(Requirement(key, "In", (value,)))
        for key, value in spec.node_selector
    ]
    if spec.node_affinity.required is not None:
        masks.append(any_of(cluster, tuple(spec.node_affinity.required)))
    return _joined(np.logical_and, masks)


def any_of(cluster: Cluster, terms: Sequence[NodeSelectorTerm]) -> Mask:
    """The nodes that any of these terms matches (bool, one per node)."""
    if not terms:
        return np.zeros(len(cluster), dtype=bool)
    return _joined(np.logical_or, [_matching(cluster, term) for term in terms])


def _matching(cluster: Cluster, term: NodeSelectorTerm) -> Mask:
    if term.empty or not term.possible:
        return np.zeros(len(cluster), dtype=bool)
    masks = [cluster.topology(req.key).where(req) for req in term.match_expressions]
    for requirement in term.match_fields:
        named = np.zeros(len(cluster), dtype=bool)
        for name in requirement.values:
            named[cluster.numbers_of(name)] = True
        masks.append(named if requirement.operator == "In" else ~named)
    return _joined(np.logical_and, masks)


def _joined(join: np.ufunc, masks: Sequence[Mask]) -> Mask:
    """All of these masks, of which there is one at least, in an array of the caller's own."""
    joined = masks[0]
    for further in masks[1:]:
        join(joined, further, out=joined)
    return joined


def _preference(cluster: Cluster, terms: Sequence[PreferredSchedulingTerm]) -> Ints:
    parts = [_weighed(cluster, preferred) for preferred in terms]
    return loops.pulled(parts, len(cluster))


def _weighed(cluster: Cluster, given: PreferredSchedulingTerm) -> Pull:
    """What one term adds to each node; by its label's values, where it is about one label."""
    term = given.preference
    match tuple(term.match_expressions):
        case [only] if not term.match_fields and term.possible:
            column = cluster.topology(only.key)
            return column.accepted(only).astype(np.int64), column.codes, given.weight, 0
    return _matching(cluster, term).astype(np.int64), None, given.weight, 0


def _tolerated(cluster: Cluster, spec: Spec) -> Mask:
    fine = [not _repelling(taints, spec.tolerations, soft=False) for taints in cluster.taint_sets]
    return loops.looked_up(np.array(fine), cluster.taints)


def _repelling(taints: Iterable[Taint], tolerations: Sequence[Toleration], *, soft: bool) -> int:
    """How many of a node's taints are not tolerated: of those that only discourage, or others."""
    number = 0
    for taint in taints:
        if (taint.effect == PREFER_NO_SCHEDULE) is soft:
            for toleration in tolerations:  # a loop: this is asked for every set of taints
                if toleration.tolerates(taint):
                    break
            else:
                number += 1
    return number


def _dislikes(cluster: Cluster, spec: Spec) -> Ints:
    """Kubernetes looks only at tolerations without effect or with PreferNoSchedule here."""
    soft = [t for t in spec.tolerations if t.effect in ("", PREFER_NO_SCHEDULE)]
    counts = [_repelling(taints, soft, soft=True) for taints in cluster.taint_sets]
    return np.array(counts, dtype=np.int64)
