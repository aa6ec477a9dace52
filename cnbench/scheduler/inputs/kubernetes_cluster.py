"""A cluster from lists of Kubernetes objects, as `kubectl get -o json` prints them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

from cnbench.scheduler.cluster import Cluster
from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.inputs.kubernetes import (
    Object,
    named,
    node_from_dict,
    pod_from_dict,
    running_pod,
)
from cnbench.scheduler.inputs.kubernetes_rules import selector_from
from cnbench.scheduler.inputs.object_reader import Reader
from cnbench.scheduler.inputs.storage import Storage
from cnbench.scheduler.model import checks
from cnbench.scheduler.model.objects import Pod
from cnbench.scheduler.model.selectors import LabelSelector
from cnbench.scheduler.questions.world import Placed, World

Objects: TypeAlias = Iterable[Object] | Object
Made = TypeVar("Made")

_FINISHED = ("Succeeded", "Failed")
_MIRROR = "kubernetes.io/config.mirror"
_OF_NODES = ("DaemonSet", "Node")
_PLAIN_SELECTOR = "ReplicationController"
_SPREADING_KINDS = (_PLAIN_SELECTOR, "ReplicaSet", "StatefulSet")


def cluster_from_dicts(
    nodes: Objects,
    pods: Objects = (),
    services: Objects = (),
    namespaces: Objects = (),
    controllers: Objects = (),
    *,
    claims: Objects | None = None,
    volumes: Objects = (),
    classes: Objects = (),
) -> tuple[Cluster, list[Pod]]:
    """A cluster from lists of Kubernetes objects (or the List objects kubectl prints).

    Pods with a spec.nodeName are placed there, finished ones left out; the others are returned
    as pending, in order.

    Args:
        nodes: v1 Nodes.
        pods: v1 Pods.
        services: v1 Services; what they select is spread.
        namespaces: v1 Namespaces, whose labels affinity terms may select.
        controllers: ReplicationControllers, ReplicaSets and StatefulSets that own pods; what they
            select is spread too.
        claims: v1 PersistentVolumeClaims; None where they are not known, so that a pending pod
            with one cannot be answered for.
        volumes: v1 PersistentVolumes, whose nodes and zones their pods are bound to.
        classes: StorageClasses, which say whether an unbound claim waits for its pod.

    Raises:
        SchedulerInputError: an object is malformed, or a pod's node does not exist; the message
            begins with the list and the place in it, as "pods[3]".
    """
    world, cluster = world_from_dicts(
        nodes,
        pods,
        (list(_objects(services)), list(_objects(controllers))),
        namespaces,
        storage_from_dicts(claims, volumes, classes),
    )
    return cluster, list(world.pending)


def storage_from_dicts(
    claims: Objects | None, volumes: Objects = (), classes: Objects = ()
) -> Storage:
    """Claims, volumes and classes; without claims (None) which there are is not known.

    Raises:
        SchedulerInputError: one of them is no list of objects.
    """
    known = None if claims is None else list(_objects(claims))
    return Storage(known, _objects(volumes), _objects(classes))


def world_from_dicts(
    nodes: Objects,
    pods: Objects,
    selecting: tuple[Sequence[Object], Sequence[Object]],
    namespaces: Objects,
    storage: Storage,
) -> tuple[World, Cluster]:
    """The same as objects that a cluster can be made of again, and the cluster.

    Args:
        nodes: v1 Nodes.
        pods: v1 Pods.
        selecting: v1 Services, and the controllers that own pods.
        namespaces: v1 Namespaces.
        storage: what claims the pods may name.

    Raises:
        SchedulerInputError: as `cluster_from_dicts`.
    """
    labels = dict(_each("namespaces", namespaces, _labels_by_name))
    world = World(tuple(_each("nodes", nodes, node_from_dict)), (), (), labels)
    cluster = world.cluster()
    placed: list[Placed] = []

    def take(given: Object) -> Pod | None:
        reader = Reader("pod", given)
        if reader.field("status").field("phase").value in _FINISHED:
            return None
        selector = spread_selector_for(given, *selecting)
        node = reader.field("spec").field("nodeName")
        if not node.text():
            return pod_from_dict(given, selector, storage)
        pod = running_pod(given, selector)
        if not cluster.numbers_of(node.text()):
            unknown = Reader(f"pod {pod.key}", node.value, node.path)
            raise unknown.problem(f"there is no node {node.text()!r}")
        cluster.add(pod, node.text())
        placed.append(Placed(pod, node.text(), _stays(reader)))
        return None

    pending = tuple(pod for pod in _each("pods", pods, take) if pod is not None)
    return replace(world, placed=tuple(placed), pending=pending), cluster


def _stays(pod: Reader) -> bool:
    """Whether a pod is its node's: a DaemonSet's, or one that the kubelet has from a file."""
    metadata = pod.field("metadata")
    owners = metadata.field("ownerReferences").items()
    mirrored = metadata.field("annotations").field(_MIRROR).value is not None
    return mirrored or any(reader.field("kind").text() in _OF_NODES for reader in owners)


def spread_selector_for(
    pod: Object, services: Iterable[Object] = (), controllers: Iterable[Object] = ()
) -> LabelSelector | None:
    """What the services that select a pod and the controller that owns it select together.

    None if there are none. Source: kubernetes, scheduler plugins' helper/spread.go.
    """
    metadata = Reader("pod", pod).field("metadata")
    labels = metadata.field("labels").labels()
    merged: dict[str, str] = {}
    for service in services:
        selector = Reader(f"service {named(service)}", service).field("spec").field("selector")
        wanted = selector.labels()
        same = _namespace(Reader("service", service)) == _namespace(Reader("pod", pod))
        if wanted and same and LabelSelector(wanted).matches(labels):
            merged.update(wanted)
    owned = _selector_of_owner(pod, controllers) or LabelSelector()
    found = LabelSelector({**merged, **dict(owned.match_labels)}, owned.match_expressions)
    return None if found.empty else found


def _selector_of_owner(pod: Object, controllers: Iterable[Object]) -> LabelSelector | None:
    """What the controller that owns a pod selects."""
    own = Reader("pod", pod)
    references = own.field("metadata").field("ownerReferences").items()
    owner = next((reader for reader in references if reader.field("controller").value), None)
    if owner is None:
        return None
    wanted = owner.field("kind").text(), owner.field("name").text(), _namespace(own)
    for controller in controllers:
        kind, name = str(controller.get("kind", "")), named(controller)
        there = Reader(f"{kind.lower()} {name}", controller)
        if (kind, name, _namespace(there)) == wanted and kind in _SPREADING_KINDS:
            selector = there.field("spec").field("selector")
            if kind == _PLAIN_SELECTOR:
                return LabelSelector(selector.labels())
            return selector_from(selector)
    return None


def _each(name: str, given: Objects, read: Callable[[Object], Made]) -> Iterator[Made]:
    """Each object as read; an error says which one of the list it is about."""
    for number, found in enumerate(_objects(given)):
        checks.a_map(found, name, f"[{number}]")
        try:
            yield read(found)
        except SchedulerInputError as error:
            raise error.inside(f"{name}[{number}], {error.where}") from None


def _objects(given: Objects) -> Iterable[Object]:
    items: tuple[Object, ...] = checks.listed(
        given.get("items") or () if isinstance(given, Mapping) else given
    )
    checks.a_list(items, "objects", "items")
    return items


def _labels_by_name(given: Object) -> tuple[str, dict[str, str]]:
    name = named(given)
    return name, Reader(f"namespace {name}", given).field("metadata").field("labels").labels()


def _namespace(given: Reader) -> str:
    return given.field("metadata").field("namespace").text() or "default"
