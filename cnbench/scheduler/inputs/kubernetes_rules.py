"""Affinity, tolerations, spread constraints and selectors from Kubernetes objects."""

from __future__ import annotations

from cnbench.scheduler.inputs import known_fields as known
from cnbench.scheduler.inputs.object_reader import Reader
from cnbench.scheduler.model.node_rules import (
    NodeAffinity,
    NodeSelectorTerm,
    PreferredSchedulingTerm,
)
from cnbench.scheduler.model.placement_rules import (
    HONOR,
    IGNORE,
    PodAffinity,
    PodAffinityTerm,
    Taint,
    Toleration,
    TopologySpreadConstraint,
    WeightedPodAffinityTerm,
)
from cnbench.scheduler.model.selectors import LabelSelector, Requirement

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def selector_from(given: Reader) -> LabelSelector | None:
    """A label selector; None where there is none.

    Raises:
        SchedulerInputError: it is malformed.
    """
    if given.value is None:
        return None
    given.among(known.SELECTOR)
    expressions = given.field("matchExpressions").items()
    return LabelSelector(given.field("matchLabels").labels(), map(_requirement, expressions))


def taint(given: Reader) -> Taint:
    """A node's taint.

    Raises:
        SchedulerInputError: it is malformed.
    """
    given.among(known.TAINT)
    return Taint(
        given.field("key").text(), given.field("value").text(), given.field("effect").text()
    )


def toleration(given: Reader) -> Toleration:
    """A pod's toleration.

    Raises:
        SchedulerInputError: it is malformed.
    """
    given.among(known.TOLERATION)
    return Toleration(
        given.field("key").text(),
        given.field("operator").text() or "Equal",
        given.field("value").text(),
        given.field("effect").text(),
    )


def node_affinity(given: Reader) -> NodeAffinity:
    """Required and preferred node affinity.

    Raises:
        SchedulerInputError: it is malformed.
    """
    required = given.among(known.AFFINITY_KINDS).field(_REQUIRED)
    terms = None
    if required.value is not None:
        listed = required.among(known.NODE_SELECTOR).field("nodeSelectorTerms").items()
        terms = [required_term(term) for term in listed]
    preferred = [
        PreferredSchedulingTerm(
            reader.among(known.PREFERRED_NODE_TERM).field("weight").whole(),
            _node_term(reader.field("preference")),
        )
        for reader in given.field(_PREFERRED).items()
    ]
    return NodeAffinity(terms, preferred)


def required_term(given: Reader) -> NodeSelectorTerm:
    """A required term; one that Kubernetes cannot take matches nothing, as an empty one does.

    Raises:
        SchedulerInputError: it is malformed.
    """
    term = _node_term(given)
    lone = all(
        len(requirement.values) == 1
        for requirement in term.match_expressions
        if requirement.compares
    )
    return term if term.possible or not lone else NodeSelectorTerm()


def _node_term(given: Reader) -> NodeSelectorTerm:
    given.among(known.NODE_TERM)
    return NodeSelectorTerm(
        map(_requirement, given.field("matchExpressions").items()),
        map(_requirement, given.field("matchFields").items()),
    )


def _requirement(given: Reader) -> Requirement:
    given.among(known.REQUIREMENT)
    return Requirement(
        given.field("key").text(), given.field("operator").text(), given.field("values").texts()
    )


def pod_affinity(given: Reader) -> PodAffinity:
    """Required and preferred terms over other pods.

    Raises:
        SchedulerInputError: it is malformed.
    """
    given.among(known.AFFINITY_KINDS)
    preferred = [
        WeightedPodAffinityTerm(
            reader.among(known.WEIGHTED_POD_TERM).field("weight").whole(),
            _pod_term(reader.field("podAffinityTerm")),
        )
        for reader in given.field(_PREFERRED).items()
    ]
    return PodAffinity([_pod_term(term) for term in given.field(_REQUIRED).items()], preferred)


def _pod_term(given: Reader) -> PodAffinityTerm:
    given.among(known.POD_TERM)
    return PodAffinityTerm(
        given.field("topologyKey").text(),
        selector_from(given.field("labelSelector")),
        given.field("namespaces").texts(),
        selector_from(given.field("namespaceSelector")),
        given.field("matchLabelKeys").texts(),
        given.field("mismatchLabelKeys").texts(),
    )


def constraint(given: Reader) -> TopologySpreadConstraint:
    """A topology spread constraint.

    Raises:
        SchedulerInputError: it is malformed.
    """
    minimum = given.among(known.CONSTRAINT).field("minDomains")
    return TopologySpreadConstraint(
        given.field("maxSkew").whole(),
        given.field("topologyKey").text(),
        given.field("whenUnsatisfiable").text(),
        selector_from(given.field("labelSelector")),
        None if minimum.value is None else minimum.whole(),
        given.field("nodeAffinityPolicy").text(HONOR),
        given.field("nodeTaintsPolicy").text(IGNORE),
        given.field("matchLabelKeys").texts(),
    )
