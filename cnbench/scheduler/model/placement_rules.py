"""The rules a pod carries about where it wants to be, named after Kubernetes' fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.model import checks
from cnbench.scheduler.model.selectors import (
    LabelSelector,
    Requirement,
    as_selector,
    check_selector,
)

NO_SCHEDULE = "NoSchedule"
PREFER_NO_SCHEDULE = "PreferNoSchedule"
NO_EXECUTE = "NoExecute"
TAINT_EFFECTS = (NO_SCHEDULE, PREFER_NO_SCHEDULE, NO_EXECUTE)

DO_NOT_SCHEDULE = "DoNotSchedule"
SCHEDULE_ANYWAY = "ScheduleAnyway"

HONOR = "Honor"
IGNORE = "Ignore"


@dataclass(frozen=True, slots=True)
class Taint:
    """Keeps pods away from a node unless they tolerate it."""

    key: str
    value: str = ""
    effect: str = NO_SCHEDULE

    def check(self, where: str, field: str) -> None:
        """Hold it against the API's rules.

        Raises:
            SchedulerInputError: names the field that is malformed.
        """
        if not self.key:
            raise SchedulerInputError(where, f"{field}.key", "must not be empty")
        checks.one_of(self.effect, TAINT_EFFECTS, where, f"{field}.effect")


@dataclass(frozen=True, slots=True)
class Toleration:
    """Puts up with taints: an empty key (with Exists) means any, an empty effect means any."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    def check(self, where: str, field: str) -> None:
        """Hold it against the API's rules.

        Raises:
            SchedulerInputError: names the field that is malformed.
        """
        checks.one_of(self.operator, ("Equal", "Exists"), where, f"{field}.operator")
        checks.one_of(self.effect, ("", *TAINT_EFFECTS), where, f"{field}.effect")
        if not self.key and self.operator != "Exists":
            raise SchedulerInputError(where, f"{field}.key", "empty only with operator Exists")
        if self.operator == "Exists" and self.value:
            raise SchedulerInputError(where, f"{field}.value", "Exists takes no value")

    def tolerates(self, taint: Taint) -> bool:
        """Whether the taint is put up with (k8s.io/api Toleration.ToleratesTaint)."""
        return (
            self.effect in ("", taint.effect)
            and self.key in ("", taint.key)
            and (self.operator == "Exists" or self.value == taint.value)
        )


@dataclass(frozen=True, slots=True)
class PodAffinityTerm:
    """The pods meant, and the label whose value says which nodes count as "the same place".

    Attributes:
        topology_key: for example "topology.kubernetes.io/zone" or "kubernetes.io/hostname".
        label_selector: the pods; None matches none, an empty selector all.
        namespaces: where they live; with no namespace_selector either, the pod's own namespace.
        namespace_selector: namespaces by label (see `Cluster(namespaces=...)`); an empty
            selector means all namespaces.
        match_label_keys: labels of the pod that has the term, whose values the pods meant must
            share; they are nothing without a label_selector.
        mismatch_label_keys: the same, whose values they must not have.
    """

    topology_key: str
    label_selector: LabelSelector | Mapping[str, str] | None = None
    namespaces: Iterable[str] = ()
    namespace_selector: LabelSelector | Mapping[str, str] | None = None
    match_label_keys: Iterable[str] = ()
    mismatch_label_keys: Iterable[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "label_selector", as_selector(self.label_selector))
        object.__setattr__(self, "namespaces", checks.listed(self.namespaces))
        object.__setattr__(self, "namespace_selector", as_selector(self.namespace_selector))
        object.__setattr__(self, "match_label_keys", checks.listed(self.match_label_keys))
        object.__setattr__(self, "mismatch_label_keys", checks.listed(self.mismatch_label_keys))

    def selector_for(self, labels: Iterable[tuple[str, str]]) -> LabelSelector | None:
        """The pods that the term of a pod with these labels means.

        The API server merges the keys into the selector (on since 1.31), each as one more
        expression; keys that the pod lacks are passed over.
        """
        selector = self.label_selector
        if not isinstance(selector, LabelSelector):
            return None
        if not self.match_label_keys and not self.mismatch_label_keys:
            return selector
        own = dict(labels)
        added = [
            Requirement(key, operator, (own[key],))
            for keys, operator in (
                (self.match_label_keys, "In"),
                (self.mismatch_label_keys, "NotIn"),
            )
            for key in keys
            if key in own
        ]
        return LabelSelector(selector.match_labels, (*selector.match_expressions, *added))

    def check(self, where: str, field: str) -> None:
        """Hold it against the API's rules.

        Raises:
            SchedulerInputError: names the field that is malformed.
        """
        if not self.topology_key:
            raise SchedulerInputError(where, f"{field}.topologyKey", "must not be empty")
        check_selector(self.label_selector, where, f"{field}.labelSelector")
        check_selector(self.namespace_selector, where, f"{field}.namespaceSelector")
        checks.texts(self.namespaces, where, f"{field}.namespaces")
        checks.texts(self.match_label_keys, where, f"{field}.matchLabelKeys")
        checks.texts(self.mismatch_label_keys, where, f"{field}.mismatchLabelKeys")


@dataclass(frozen=True, slots=True)
class WeightedPodAffinityTerm:
    """A preferred term and its weight, 1 to 100."""

    weight: int
    term: PodAffinityTerm


@dataclass(frozen=True, slots=True)
class PodAffinity:
    """Required and preferred terms over other pods; of affinity or of anti-affinity."""

    required: Iterable[PodAffinityTerm] = ()
    preferred: Iterable[WeightedPodAffinityTerm] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "required", checks.listed(self.required))
        object.__setattr__(self, "preferred", checks.listed(self.preferred))

    def check(self, where: str, field: str) -> None:
        """Hold it against the API's rules.

        Raises:
            SchedulerInputError: names the field that is malformed.
        """
        for path, term in checks.each(self.required, where, f"{field}.required"):
            checks.instance(term, PodAffinityTerm, where, path)
            term.check(where, path)
        for path, weighted in checks.each(self.preferred, where, f"{field}.preferred"):
            checks.instance(weighted, WeightedPodAffinityTerm, where, path)
            checks.weight(weighted.weight, where, path)
            checks.instance(weighted.term, PodAffinityTerm, where, f"{path}.podAffinityTerm")
            weighted.term.check(where, f"{path}.podAffinityTerm")


@dataclass(frozen=True, slots=True)
class TopologySpreadConstraint:
    """How evenly matching pods spread over the values of a node label.

    Attributes:
        max_skew: the greatest difference allowed between a domain and the emptiest one.
        topology_key: the node label whose values are the domains.
        when_unsatisfiable: "DoNotSchedule" (a filter) or "ScheduleAnyway" (a score).
        label_selector: the pods counted (of the pod's own namespace); None counts none.
        min_domains: with fewer eligible domains, the least count is taken as 0.
        node_affinity_policy: "Honor" counts only nodes the pod's node affinity admits.
        node_taints_policy: "Honor" counts only nodes whose taints the pod tolerates.
        match_label_keys: pod labels whose values the counted pods must share.
    """

    max_skew: int
    topology_key: str
    when_unsatisfiable: str = DO_NOT_SCHEDULE
    label_selector: LabelSelector | Mapping[str, str] | None = None
    min_domains: int | None = None
    node_affinity_policy: str = HONOR
    node_taints_policy: str = IGNORE
    match_label_keys: Iterable[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "label_selector", as_selector(self.label_selector))
        object.__setattr__(self, "match_label_keys", checks.listed(self.match_label_keys))

    def check(self, where: str, field: str) -> None:
        """Hold it against the API's rules.

        Raises:
            SchedulerInputError: names the field that is malformed.
        """
        if type(self.max_skew) is not int or self.max_skew < 1:
            raise SchedulerInputError(where, f"{field}.maxSkew", "must be an integer of 1 or more")
        if not self.topology_key:
            raise SchedulerInputError(where, f"{field}.topologyKey", "must not be empty")
        least = self.min_domains
        if least is not None and (type(least) is not int or least < 1):
            problem = "must be an integer of 1 or more"
            raise SchedulerInputError(where, f"{field}.minDomains", problem)
        verdicts = (DO_NOT_SCHEDULE, SCHEDULE_ANYWAY)
        checks.one_of(self.when_unsatisfiable, verdicts, where, f"{field}.whenUnsatisfiable")
        checks.one_of(
            self.node_affinity_policy, (HONOR, IGNORE), where, f"{field}.nodeAffinityPolicy"
        )
        checks.one_of(self.node_taints_policy, (HONOR, IGNORE), where, f"{field}.nodeTaintsPolicy")
        check_selector(self.label_selector, where, f"{field}.labelSelector")
        checks.texts(self.match_label_keys, where, f"{field}.matchLabelKeys")
