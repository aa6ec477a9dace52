"""Sets of pods: those with the same labels, those a selector means, those that hold a term.

Thousands of pods share few label sets, so selectors are matched against *classes* (namespace,
labels, whether terminating) rather than pods, and every selector anybody asks about keeps a
running tally of its pods per node.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from cnbench.scheduler.objects import Spec
from cnbench.scheduler.placement_rules import PodAffinityTerm
from cnbench.scheduler.selectors import LabelSelector
from cnbench.scheduler.tally import NodeTally

Labels = Mapping[str, str]
NamespaceLabels = Mapping[str, Labels]


class PodClass:
    """Pods that no selector can tell apart.

    Attributes:
        tally: where they run.
        watchers: the tallies of all queries that match them.
        held: the terms held by other pods that match them, by kind, as far as looked at.
    """

    __slots__ = ("_labels", "held", "held_seen", "namespace", "tally", "terminating", "watchers")

    def __init__(self, spec: Spec, size: int) -> None:
        self.namespace = spec.namespace
        self._labels = spec.labels
        self.terminating = spec.terminating
        self.tally = NodeTally(size)
        self.watchers: tuple[NodeTally, ...] = ()
        self.held: dict[str, list[HeldTerm]] | None = None
        self.held_seen = 0

    @property
    def labels(self) -> dict[str, str]:
        """Their labels; made each time, since classes are many and rarely matched."""
        return dict(self._labels)


@dataclass(frozen=True, slots=True)
class Clause:
    """Pods in these namespaces that match this selector (None matches none)."""

    namespaces: tuple[str, ...]
    namespace_selector: LabelSelector | None
    selector: LabelSelector | None

    def matches(self, namespace: str, labels: Labels, namespaces: NamespaceLabels) -> bool:
        """Whether pods of this namespace with these labels are meant.

        Args:
            namespace: the pods' namespace.
            labels: the pods' labels.
            namespaces: the labels of each namespace.
        """
        return (
            self.selector is not None
            and self._in_namespace(namespace, namespaces)
            and self.selector.matches(labels)
        )

    def _in_namespace(self, namespace: str, namespaces: NamespaceLabels) -> bool:
        return namespace in self.namespaces or (
            self.namespace_selector is not None
            and self.namespace_selector.matches(namespaces.get(namespace, {}))
        )


def clause_of(term: PodAffinityTerm, namespace: str) -> Clause:
    """What a term of a pod in this namespace means."""
    selector, among = term.label_selector, term.namespace_selector
    namespaces = tuple(term.namespaces)
    if not namespaces and among is None:
        namespaces = (namespace,)
    return Clause(
        namespaces,
        among if isinstance(among, LabelSelector) else None,
        selector if isinstance(selector, LabelSelector) else None,
    )


@dataclass(frozen=True, slots=True)
class PodQuery:
    """Pods that all clauses mean; spreading does not count terminating ones."""

    clauses: tuple[Clause, ...]
    terminating_too: bool = True

    def matches(self, pods: PodClass, labels: Labels, namespaces: NamespaceLabels) -> bool:
        """Whether pods of this class, whose labels these are, are meant."""
        return (self.terminating_too or not pods.terminating) and all(
            clause.matches(pods.namespace, labels, namespaces) for clause in self.clauses
        )


def spread_query(namespace: str, selector: LabelSelector | None) -> PodQuery:
    """The pods counted for spreading: of this namespace, and not terminating."""
    return PodQuery((Clause((namespace,), None, selector),), terminating_too=False)


ANTI_AFFINITY = "required anti-affinity"
AFFINITY = "required affinity"
PREFERENCE = "preference"


@dataclass(frozen=True, slots=True)
class TermKey:
    """What makes two held terms the same."""

    kind: str
    weight: int
    topology_key: str
    clause: Clause


class HeldTerm:
    """A term of placed pods about other pods, and where the pods that hold it run."""

    __slots__ = ("key", "tally")

    def __init__(self, key: TermKey, size: int) -> None:
        self.key = key
        self.tally = NodeTally(size)


def terms_held_by(spec: Spec) -> Iterable[TermKey]:
    """The terms that matter to pods arriving later; preferences to stay away weigh negative."""
    for kind, affinity in ((AFFINITY, spec.pod_affinity), (ANTI_AFFINITY, spec.pod_anti_affinity)):
        for term in affinity.required:
            yield TermKey(kind, 0, term.topology_key, clause_of(term, spec.namespace))
    for sign, affinity in ((1, spec.pod_affinity), (-1, spec.pod_anti_affinity)):
        for preferred in affinity.preferred:
            clause = clause_of(preferred.term, spec.namespace)
            yield TermKey(PREFERENCE, sign * preferred.weight, preferred.term.topology_key, clause)


class PodSets:
    """All classes, queries and held terms of a cluster."""

    def __init__(self, size: int, namespaces: NamespaceLabels) -> None:
        self._size = size
        self._namespaces = namespaces
        self._classes: dict[tuple[object, ...], PodClass] = {}
        self._queries: dict[PodQuery, NodeTally] = {}
        self._terms: dict[TermKey, HeldTerm] = {}
        self._term_list: list[HeldTerm] = []

    def __len__(self) -> int:
        return len(self._queries)

    def class_of(self, spec: Spec) -> PodClass:
        """The class of pods with this spec."""
        key = (spec.namespace, spec.labels, spec.terminating)
        found = self._classes.get(key)
        if found is None:
            found = self._classes[key] = PodClass(spec, self._size)
            labels = found.labels
            for query, tally in self._queries.items():
                if query.matches(found, labels, self._namespaces):
                    found.watchers += (tally,)
        return found

    def tally(self, query: PodQuery) -> NodeTally:
        """The running tally of a query's pods, counted afresh when first asked for."""
        tally = self._queries.get(query)
        if tally is None:
            meant = [pods for pods in self._classes.values() if self.matches(query, pods)]
            placed = [pods.tally.nodes() for pods in meant if pods.tally.total]
            nodes = np.concatenate(placed) if placed else np.empty(0, dtype=np.int32)
            tally = self._queries[query] = NodeTally(self._size, nodes.astype(np.int32))
            for pods in meant:
                pods.watchers += (tally,)
        return tally

    def forget_queries(self) -> None:
        """Forget all queries and their tallies, and which held terms mean which pods.

        Whoever holds a tally of a query must ask for it again.
        """
        self._queries.clear()
        for pods in self._classes.values():
            pods.watchers, pods.held, pods.held_seen = (), None, 0

    def matches(self, query: PodQuery, pods: PodClass) -> bool:
        """Whether a query means the pods of a class."""
        return query.matches(pods, pods.labels, self._namespaces)

    def held(self, key: TermKey) -> HeldTerm:
        """The record of a held term."""
        term = self._terms.get(key)
        if term is None:
            term = self._terms[key] = HeldTerm(key, self._size)
            self._term_list.append(term)
        return term

    def held_about(self, pods: PodClass, kind: str) -> list[HeldTerm]:
        """The terms of this kind, held by whomever, that mean the pods of a class."""
        if pods.held is None:
            pods.held = {}
        namespace, labels = pods.namespace, pods.labels
        for term in self._term_list[pods.held_seen :]:
            if term.key.clause.matches(namespace, labels, self._namespaces):
                pods.held.setdefault(term.key.kind, []).append(term)
        pods.held_seen = len(self._term_list)
        return pods.held.get(kind, [])
