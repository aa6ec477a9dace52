"""Nodes and pods from Kubernetes objects, as `kubectl get nodes,pods -o json` prints them.

Only the fields that scheduling here looks at are read. Errors name the object and the field.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.inputs.object_reader import Reader
from cnbench.scheduler.inputs.pod_requests import pod_amounts
from cnbench.scheduler.model import checks
from cnbench.scheduler.model.node_rules import (
    NodeAffinity,
    NodeSelectorTerm,
    PreferredSchedulingTerm,
)
from cnbench.scheduler.model.objects import Node, Pod
from cnbench.scheduler.model.placement_rules import (
    HONOR,
    IGNORE,
    NO_SCHEDULE,
    PodAffinity,
    PodAffinityTerm,
    Taint,
    Toleration,
    TopologySpreadConstraint,
    WeightedPodAffinityTerm,
)
from cnbench.scheduler.model.selectors import LabelSelector, Requirement

Object: TypeAlias = Mapping[str, Any]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_UNSCHEDULABLE = "node.kubernetes.io/unschedulable"


def node_from_dict(given: Object) -> Node:
    """A node from a v1 Node object (status.allocatable, or without it status.capacity).

    Raises:
        SchedulerInputError: a field is malformed.
    """
    name = named(given)
    node = Reader(f"node {name}", given)
    spec, status = node.field("spec"), node.field("status")
    taints = [_taint(taint) for taint in spec.field("taints").items()]
    if spec.field("unschedulable").value and all(t.key != _UNSCHEDULABLE for t in taints):
        taints.append(Taint(_UNSCHEDULABLE, "", NO_SCHEDULE))
    images = {
        image: entry.field("sizeBytes").whole()
        for entry in status.field("images").items()
        for image in entry.field("names").texts()
    }
    allocatable = status.field("allocatable")
    return Node(
        name,
        (status.field("capacity") if allocatable.value is None else allocatable).amounts(),
        node.field("metadata").field("labels").labels(),
        taints,
        images,
    )


def pod_from_dict(given: Object, spread_selector: LabelSelector | None = None) -> Pod:
    """A pod from a v1 Pod object.

    Args:
        given: the object; it needs no name to be filtered and scored, but to be placed.
        spread_selector: what its services and controller select (see `spread_selector_for`).

    Raises:
        SchedulerInputError: a field is malformed.
    """
    metadata = Reader("pod", checks.a_map(given, "pod", "object")).field("metadata")
    name = metadata.field("name").text()
    namespace = metadata.field("namespace").text() or "default"
    pod = Reader(f"pod {namespace}/{name}", given)
    spec = pod.field("spec")
    affinity = spec.field("affinity")
    return Pod(
        name,
        namespace,
        amounts=pod_amounts(pod),
        labels=pod.field("metadata").field("labels").labels(),
        node_selector=spec.field("nodeSelector").labels(),
        node_affinity=_node_affinity(affinity.field("nodeAffinity")),
        pod_affinity=_pod_affinity(affinity.field("podAffinity")),
        pod_anti_affinity=_pod_affinity(affinity.field("podAntiAffinity")),
        tolerations=[_toleration(one) for one in spec.field("tolerations").items()],
        topology_spread_constraints=[
            _constraint(one) for one in spec.field("topologySpreadConstraints").items()
        ],
        images=[one.field("image").text() for one in spec.field("containers").items()],
        init_images=[one.field("image").text() for one in spec.field("initContainers").items()],
        spread_selector=spread_selector,
        terminating=metadata.field("deletionTimestamp").value is not None,
    )


def named(given: Object) -> str:
    """The name of an object that must have one.

    Raises:
        SchedulerInputError: it has none.
    """
    kind = str(given.get("kind", "object")).lower() if isinstance(given, Mapping) else "object"
    name = Reader(kind, given).field("metadata").field("name").text()
    if not name:
        raise SchedulerInputError(kind, "metadata.name", "must not be empty")
    return name


def selector_from(given: Reader) -> LabelSelector | None:
    """A label selector; None where there is none."""
    if given.value is None:
        return None
    expressions = given.field("matchExpressions").items()
    return LabelSelector(given.field("matchLabels").labels(), map(_requirement, expressions))


def _taint(given: Reader) -> Taint:
    return Taint(
        given.field("key").text(), given.field("value").text(), given.field("effect").text()
    )


def _toleration(given: Reader) -> Toleration:
    return Toleration(
        given.field("key").text(),
        given.field("operator").text() or "Equal",
        given.field("value").text(),
        given.field("effect").text(),
    )


def _requirement(given: Reader) -> Requirement:
    return Requirement(
        given.field("key").text(), given.field("operator").text(), given.field("values").texts()
    )


def _node_affinity(given: Reader) -> NodeAffinity:
    required = given.field(_REQUIRED)
    terms = None
    if required.value is not None:
        terms = [_required(term) for term in required.field("nodeSelectorTerms").items()]
    preferred = [
        PreferredSchedulingTerm(one.field("weight").whole(), _node_term(one.field("preference")))
        for one in given.field(_PREFERRED).items()
    ]
    return NodeAffinity(terms, preferred)


def _required(given: Reader) -> NodeSelectorTerm:
    """A required term; one that Kubernetes cannot take matches nothing, as an empty one does."""
    term = _node_term(given)
    lone = all(len(one.values) == 1 for one in term.match_expressions if one.compares)
    return term if term.possible or not lone else NodeSelectorTerm()


def _node_term(given: Reader) -> NodeSelectorTerm:
    return NodeSelectorTerm(
        map(_requirement, given.field("matchExpressions").items()),
        map(_requirement, given.field("matchFields").items()),
    )


def _pod_affinity(given: Reader) -> PodAffinity:
    preferred = [
        WeightedPodAffinityTerm(
            one.field("weight").whole(), _pod_term(one.field("podAffinityTerm"))
        )
        for one in given.field(_PREFERRED).items()
    ]
    return PodAffinity([_pod_term(term) for term in given.field(_REQUIRED).items()], preferred)


def _pod_term(given: Reader) -> PodAffinityTerm:
    return PodAffinityTerm(
        given.field("topologyKey").text(),
        selector_from(given.field("labelSelector")),
        given.field("namespaces").texts(),
        selector_from(given.field("namespaceSelector")),
    )


def _constraint(given: Reader) -> TopologySpreadConstraint:
    minimum = given.field("minDomains")
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
