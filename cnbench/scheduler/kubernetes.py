"""Nodes and pods from Kubernetes objects, as `kubectl get nodes,pods -o json` prints them.

Only the fields that scheduling here looks at are read. Errors name the object and the field.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from cnbench.scheduler.cluster import Cluster
from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.object_reader import Reader
from cnbench.scheduler.objects import Node, Pod
from cnbench.scheduler.placement_rules import (
    HONOR,
    IGNORE,
    NO_SCHEDULE,
    NodeAffinity,
    NodeSelectorTerm,
    PodAffinity,
    PodAffinityTerm,
    PreferredSchedulingTerm,
    Taint,
    Toleration,
    TopologySpreadConstraint,
    WeightedPodAffinityTerm,
)
from cnbench.scheduler.pod_requests import pod_requests
from cnbench.scheduler.selectors import LabelSelector, Requirement

Object = Mapping[str, Any]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_FINISHED = ("Succeeded", "Failed")


def node_from_dict(given: Object) -> Node:
    """A node from a v1 Node object (capacity from status.allocatable).

    Raises:
        SchedulerInputError: a field is malformed.
    """
    name = _name(given)
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
    return Node(
        name,
        status.field("allocatable").amounts(),
        node.field("metadata").field("labels").labels(),
        taints,
        images,
    )


def pod_from_dict(given: Object, spread_selector: LabelSelector | None = None) -> Pod:
    """A pod from a v1 Pod object.

    Args:
        given: the object.
        spread_selector: what its services and controller select (see `spread_selector_for`).

    Raises:
        SchedulerInputError: a field is malformed.
    """
    metadata = given.get("metadata") or {}
    name, namespace = _name(given), metadata.get("namespace") or "default"
    pod = Reader(f"pod {namespace}/{name}", given)
    spec = pod.field("spec")
    affinity = spec.field("affinity")
    requests, scored = pod_requests(spec)
    containers = spec.field("initContainers").items() + spec.field("containers").items()
    return Pod(
        name,
        namespace,
        requests=requests,
        scored_requests=scored,
        labels=pod.field("metadata").field("labels").labels(),
        node_selector=spec.field("nodeSelector").labels(),
        node_affinity=_node_affinity(affinity.field("nodeAffinity")),
        pod_affinity=_pod_affinity(affinity.field("podAffinity")),
        pod_anti_affinity=_pod_affinity(affinity.field("podAntiAffinity")),
        tolerations=[_toleration(one) for one in spec.field("tolerations").items()],
        topology_spread_constraints=[
            _constraint(one) for one in spec.field("topologySpreadConstraints").items()
        ],
        images=[c.field("image").text() for c in containers if c.field("image").value],
        spread_selector=spread_selector,
        terminating=metadata.get("deletionTimestamp") is not None,
    )


def cluster_from_dicts(
    nodes: Iterable[Object] | Object,
    pods: Iterable[Object] | Object = (),
    services: Iterable[Object] | Object = (),
    namespaces: Iterable[Object] | Object = (),
) -> tuple[Cluster, list[Pod]]:
    """A cluster from lists of Kubernetes objects (or the List objects kubectl prints).

    Pods with a spec.nodeName are placed there, finished ones left out; the others are returned
    as pending, in order.

    Raises:
        SchedulerInputError: an object is malformed, or a pod's node does not exist.
    """
    labels = {
        _name(one): Reader(f"namespace {_name(one)}", one)
        .field("metadata")
        .field("labels")
        .labels()
        for one in _objects(namespaces)
    }
    cluster = Cluster([node_from_dict(node) for node in _objects(nodes)], labels)
    known = list(_objects(services))
    pending = []
    for given in _objects(pods):
        if (given.get("status") or {}).get("phase") in _FINISHED:
            continue
        pod = pod_from_dict(given, spread_selector_for(given, known))
        node = (given.get("spec") or {}).get("nodeName")
        if not node:
            pending.append(pod)
        elif cluster.numbers_of(node):
            cluster.add(pod, node)
        else:
            where = f"pod {pod.key}"
            raise SchedulerInputError(where, "spec.nodeName", f"there is no node {node!r}")
    return cluster, pending


def spread_selector_for(pod: Object, services: Iterable[Object]) -> LabelSelector | None:
    """The merged selectors of the services that select a pod (kubernetes helper/spread.go).

    Controllers' selectors are not looked up: pass a `spread_selector` to `pod_from_dict` where
    pods have a controller but no service.
    """
    metadata = pod.get("metadata") or {}
    labels = metadata.get("labels") or {}
    merged: dict[str, str] = {}
    for service in services:
        where = f"service {_name(service)}"
        selector = Reader(where, service).field("spec").field("selector").labels()
        same = (service.get("metadata") or {}).get("namespace", "default") == (
            metadata.get("namespace") or "default"
        )
        if selector and same and LabelSelector(selector).matches(labels):
            merged.update(selector)
    return LabelSelector(merged) if merged else None


def _objects(given: Iterable[Object] | Object) -> Iterable[Object]:
    return given.get("items") or () if isinstance(given, Mapping) else given


def _name(given: Object) -> str:
    name = (given.get("metadata") or {}).get("name")
    if not isinstance(name, str) or not name:
        kind = str(given.get("kind", "object")).lower()
        raise SchedulerInputError(kind, "metadata.name", "must not be empty")
    return name


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


def _selector(given: Reader) -> LabelSelector | None:
    if given.value is None:
        return None
    expressions = given.field("matchExpressions").items()
    return LabelSelector(given.field("matchLabels").labels(), map(_requirement, expressions))


def _node_affinity(given: Reader) -> NodeAffinity:
    required = given.field(_REQUIRED)
    terms = None
    if required.value is not None:
        terms = [_node_term(term) for term in required.field("nodeSelectorTerms").items()]
    preferred = [
        PreferredSchedulingTerm(one.field("weight").whole(), _node_term(one.field("preference")))
        for one in given.field(_PREFERRED).items()
    ]
    return NodeAffinity(terms, preferred)


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
        _selector(given.field("labelSelector")),
        given.field("namespaces").texts(),
        _selector(given.field("namespaceSelector")),
    )


def _constraint(given: Reader) -> TopologySpreadConstraint:
    minimum = given.field("minDomains")
    return TopologySpreadConstraint(
        given.field("maxSkew").whole(),
        given.field("topologyKey").text(),
        given.field("whenUnsatisfiable").text(),
        _selector(given.field("labelSelector")),
        None if minimum.value is None else minimum.whole(),
        given.field("nodeAffinityPolicy").text(HONOR),
        given.field("nodeTaintsPolicy").text(IGNORE),
        given.field("matchLabelKeys").texts(),
    )
