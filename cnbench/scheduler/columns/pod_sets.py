"""Sets of pods: those with the same labels, those a selector means, those that hold a term.

Thousands of pods share few label sets, so selectors are matched against *classes* (namespace,
labels, whether terminating) rather than pods, and every selector anybody asks about keeps a
running tally of its pods per node.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from cnbench.scheduler.columns.label_groups import GroupKey, LabelGroup, LabelGroups
from cnbench.scheduler.columns.label_index import Demanding, Labelled
from cnbench.scheduler.columns.tally import NodeTally
from cnbench.scheduler.model.placement_rules import PodAffinityTerm
from cnbench.scheduler.model.selectors import LabelSelector
from cnbench.scheduler.model.spec import Spec

Labels = Mapping[str, str]
NamespaceLabels = Mapping[str, Labels]


class PodClass:
    """Pods that no selector can tell apart.

    Attributes:
        pairs: their labels.
        tally: where they run.
        groups: those that they are in, by namespace and label.
        watchers: the tallies of the queries that match them, but for their groups' own.
        held: the terms held by other pods that match them, by kind, as far as looked at.
    """

    __slots__ = (
        "groups", "held", "held_seen", "namespace", "pairs", "tally", "terminating", "watchers",
    )  # fmt: skip

    def __init__(self, spec: Spec, size: int) -> None:
        self.namespace = spec.namespace
        self.pairs = spec.labels
        self.terminating = spec.terminating
        self.tally = NodeTally(size)
        self.groups: list[LabelGroup] = []
        self.watchers: list[NodeTally] = []
        self.held: dict[str, list[HeldTerm]] | None = None
        self.held_seen = 0

    @property
    def labels(self) -> dict[str, str]:
        """Their labels; made each time, since classes are many and rarely matched."""
        return dict(self.pairs)

    def counted_by(self) -> Iterator[NodeTally]:
        """The tallies that every pod of this class counts in."""
        yield self.tally
        yield from self.watchers
        for group in self.groups:
            yield from group.counted_by(self.terminating)


class Clause(NamedTuple):
    """Pods in these namespaces that match this selector (None matches none)."""

    namespaces: tuple[str, ...]
    namespace_selector: LabelSelector | None
    selector: LabelSelector | None

    @property
    def demanded(self) -> tuple[tuple[str, str], ...]:
        """Labels that all pods meant have."""
        return () if self.selector is None else self.selector.match_labels

    @property
    def one_label(self) -> GroupKey | None:
        """The namespace and the label, where pods of one with one are meant: nothing more."""
        if len(self.namespaces) != 1 or not self.only_demands or len(self.demanded) != 1:
            return None
        return self.namespaces[0], self.demanded[0]

    @property
    def only_demands(self) -> bool:
        """Whether pods of these namespaces with all labels demanded are meant: nothing more."""
        if self.namespace_selector is not None or self.selector is None:
            return False
        return not self.selector.match_expressions

    def matches(self, pods: PodClass, namespaces: NamespaceLabels) -> bool:
        """Whether pods of this class are meant; `namespaces` are the labels of each namespace."""
        selector = self.selector
        if selector is None:
            return False
        for pair in selector.match_labels:  # a loop: this is asked for every class of pods
            if pair not in pods.pairs:
                return False
        if selector.match_expressions and not selector.matches(pods.labels):
            return False
        return self._in_namespace(pods.namespace, namespaces)

    def _in_namespace(self, namespace: str, namespaces: NamespaceLabels) -> bool:
        return namespace in self.namespaces or (
            self.namespace_selector is not None
            and self.namespace_selector.matches(namespaces.get(namespace, {}))
        )


def clause_of(term: PodAffinityTerm, spec: Spec) -> Clause:
    """What a term of a pod with this spec means."""
    among = term.namespace_selector
    named = term.namespaces
    given = named or among is not None
    namespaces = tuple(sorted(set(named))) if given else (spec.namespace,)
    return Clause(
        namespaces,
        among if isinstance(among, LabelSelector) else None,
        term.selector_for(spec.labels),
    )


class PodQuery(NamedTuple):
    """Pods that all clauses mean; spreading does not count terminating ones."""

    clauses: tuple[Clause, ...]
    terminating_too: bool = True

    @property
    def demanded(self) -> frozenset[tuple[str, str]]:
        """Labels that all pods meant have."""
        return frozenset([pair for clause in self.clauses for pair in clause.demanded])

    def among(self, classes: Iterable[PodClass], namespaces: NamespaceLabels) -> list[PodClass]:
        """Which of these classes, which have all labels demanded, are meant."""
        if not all(clause.only_demands for clause in self.clauses):
            return [pods for pods in classes if self.matches(pods, namespaces)]
        allowed = set.intersection(*[set(clause.namespaces) for clause in self.clauses])
        return [
            pods
            for pods in classes
            if pods.namespace in allowed and (self.terminating_too or not pods.terminating)
        ]

    def matches(self, pods: PodClass, namespaces: NamespaceLabels) -> bool:
        """Whether pods of this class are meant."""
        if pods.terminating and not self.terminating_too:
            return False
        return all(clause.matches(pods, namespaces) for clause in self.clauses)


def spread_query(namespace: str, selector: LabelSelector | None) -> PodQuery:
    """The pods counted for spreading: of this namespace, and not terminating."""
    return PodQuery((Clause((namespace,), None, selector),), terminating_too=False)


ANTI_AFFINITY = "required anti-affinity"
AFFINITY = "required affinity"
PREFERENCE = "preference"


class TermKey(NamedTuple):
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
            yield TermKey(kind, 0, term.topology_key, clause_of(term, spec))
    for sign, affinity in ((1, spec.pod_affinity), (-1, spec.pod_anti_affinity)):
        for preferred in affinity.preferred:
            clause = clause_of(preferred.term, spec)
            yield TermKey(PREFERENCE, sign * preferred.weight, preferred.term.topology_key, clause)


class PodSets:
    """All classes, queries and held terms of a cluster."""

    def __init__(self, size: int, namespaces: NamespaceLabels) -> None:
        self._size = size
        self._namespaces = namespaces
        self._classes: dict[tuple[object, ...], PodClass] = {}
        self._classes_by_label = Labelled[PodClass]()
        # Those that queries have been told of, or that were asked about: of thousands, a few.
        self._asked_about: set[PodClass] = set()
        self._groups = LabelGroups(size)
        self._queries: dict[PodQuery, NodeTally] = {}
        self._queries_by_label = Demanding[PodQuery]()
        self._terms: dict[TermKey, HeldTerm] = {}
        self._terms_by_label = Demanding[HeldTerm]()
        self._term_list: list[HeldTerm] = []

    def __len__(self) -> int:
        return len(self._queries)

    def class_of(self, spec: Spec) -> PodClass:
        """The class of pods with this spec."""
        key = (spec.namespace, spec.labels, spec.terminating)
        found = self._classes.get(key)
        if found is None:
            found = self._classes[key] = PodClass(spec, self._size)
            self._classes_by_label.add(found)
            found.groups = self._groups.joined_by(found)
            for query in self._queries_by_label.candidates(found.pairs):
                if self.matches(query, found):
                    found.watchers.append(self._queries[query])
                    self._asked_about.add(found)
        return found

    def tally(self, query: PodQuery) -> NodeTally:
        """The running tally of a query's pods, counted afresh when first asked for."""
        tally = self._queries.get(query)
        if tally is None:
            tally = self._queries[query] = self._of_a_group(query) or self._counted(query)
        return tally

    def _of_a_group(self, query: PodQuery) -> NodeTally | None:
        """The tally, if the query means what one group has."""
        group = query.clauses[0].one_label if len(query.clauses) == 1 else None
        return None if group is None else self._groups.watched(group, query.terminating_too)

    def _counted(self, query: PodQuery) -> NodeTally:
        """The tally, added up over all classes that the query means."""
        demanded = query.demanded
        looked_at = self._classes_by_label.having(demanded)
        meant = query.among(looked_at, self._namespaces)
        tally = NodeTally(self._size, [pods.tally for pods in meant])
        self._queries_by_label.add(query, demanded)
        for pods in meant:
            pods.watchers.append(tally)
        self._asked_about.update(meant)
        return tally

    def forget_queries(self) -> None:
        """Forget all queries and their tallies, and which held terms mean which pods.

        Whoever holds a tally of a query must ask for it again.
        """
        self._queries.clear()
        self._queries_by_label.clear()
        self._groups.forget_watchers()
        for pods in self._asked_about:
            pods.watchers, pods.held, pods.held_seen = [], None, 0
        self._asked_about.clear()

    def matches(self, query: PodQuery, pods: PodClass) -> bool:
        """Whether a query means the pods of a class."""
        return query.matches(pods, self._namespaces)

    def held(self, key: TermKey) -> HeldTerm:
        """The record of a held term."""
        term = self._terms.get(key)
        if term is None:
            term = self._terms[key] = HeldTerm(key, self._size)
            self._term_list.append(term)
            self._terms_by_label.add(term, key.clause.demanded)
        return term

    def held_about(self, pods: PodClass, kind: str) -> list[HeldTerm]:
        """The terms of this kind, held by whomever, that mean the pods of a class."""
        looked_at: Iterable[HeldTerm] = self._term_list[pods.held_seen :]
        if pods.held is None:
            self._asked_about.add(pods)
            pods.held, looked_at = {}, self._terms_by_label.candidates(pods.pairs)
        for term in looked_at:
            if term.key.clause.matches(pods, self._namespaces):
                pods.held.setdefault(term.key.kind, []).append(term)
        pods.held_seen = len(self._term_list)
        return pods.held.get(kind, [])
