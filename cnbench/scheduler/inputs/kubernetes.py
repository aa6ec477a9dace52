"""Nodes and pods from Kubernetes objects, as `kubectl get nodes,pods -o json` prints them.

Errors name the object and the field. A field that is misspelt is refused; what is known but not
heeded here is kept with the pod, and told when it is asked about.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.inputs import known_fields as known
from cnbench.scheduler.inputs.kubernetes_rules import (
    constraint,
    node_affinity,
    pod_affinity,
    taint,
    toleration,
)
from cnbench.scheduler.inputs.object_reader import Reader
from cnbench.scheduler.inputs.pod_fields import check_names, host_ports, unmodelled, volume_images
from cnbench.scheduler.inputs.pod_requests import pod_amounts
from cnbench.scheduler.inputs.storage import NOT_GIVEN, Storage
from cnbench.scheduler.model import checks
from cnbench.scheduler.model.objects import Node, Pod
from cnbench.scheduler.model.placement_rules import NO_SCHEDULE, Taint
from cnbench.scheduler.model.quantities import LARGEST_CAPACITY
from cnbench.scheduler.model.selectors import LabelSelector

Object: TypeAlias = Mapping[str, Any]

_UNSCHEDULABLE = "node.kubernetes.io/unschedulable"


def node_from_dict(given: Object) -> Node:
    """A node from a v1 Node object (status.allocatable, or without it status.capacity).

    Raises:
        SchedulerInputError: a field is malformed or misspelt.
    """
    name = named(given)
    node = Reader(f"node {name}", given).among(known.OBJECT)
    spec = node.field("spec").among(known.NODE_SPEC)
    status = node.field("status").among(known.NODE_STATUS)
    taints = [taint(reader) for reader in spec.field("taints").items()]
    if spec.field("unschedulable").value and all(t.key != _UNSCHEDULABLE for t in taints):
        taints.append(Taint(_UNSCHEDULABLE, "", NO_SCHEDULE))
    images = {
        image: entry.field("sizeBytes").whole()
        for entry in status.field("images").items()
        for image in entry.field("names").texts()
    }
    allocatable = status.field("allocatable")
    capacity = status.field("capacity") if allocatable.value is None else allocatable
    return Node(
        name,
        capacity.amounts(LARGEST_CAPACITY),
        node.field("metadata").among(known.METADATA).field("labels").labels(),
        taints,
        images,
    )


def pod_from_dict(
    given: Object, spread_selector: LabelSelector | None = None, storage: Storage = NOT_GIVEN
) -> Pod:
    """A pod from a v1 Pod object, to be asked about.

    Args:
        given: the object; it needs no name to be filtered and scored, but to be placed.
        spread_selector: what its services and controller select (see `spread_selector_for`).
        storage: the claims and volumes it may name.

    Raises:
        SchedulerInputError: a field is malformed or misspelt.
    """
    pod = _reader(given)
    volumes, notes = storage.of(pod)
    spec = pod.field("spec")
    return _pod(
        pod,
        spread_selector,
        node_name=spec.field("nodeName").text(),
        scheduling_gates=[g.field("name").text() for g in spec.field("schedulingGates").items()],
        volumes=volumes,
        volume_images=volume_images(spec),
        unmodelled=[*unmodelled(pod), *notes],
    )


def running_pod(given: Object, spread_selector: LabelSelector | None = None) -> Pod:
    """A pod from a v1 Pod object that has its node: without what only matters on the way there.

    Raises:
        SchedulerInputError: a field is malformed or misspelt.
    """
    return _pod(_reader(given), spread_selector)


def _reader(given: Object) -> Reader:
    metadata = Reader("pod", checks.a_map(given, "pod", "object")).field("metadata")
    name = metadata.field("name").text()
    namespace = metadata.field("namespace").text() or "default"
    pod = Reader(f"pod {namespace}/{name}", given)
    check_names(pod)
    return pod


def _pod(pod: Reader, spread_selector: LabelSelector | None, **further: Any) -> Pod:
    spec, metadata = pod.field("spec"), pod.field("metadata")
    affinity = spec.field("affinity")
    return Pod(
        metadata.field("name").text(),
        metadata.field("namespace").text() or "default",
        amounts=pod_amounts(pod),
        labels=metadata.field("labels").labels(),
        node_selector=spec.field("nodeSelector").labels(),
        node_affinity=node_affinity(affinity.field("nodeAffinity")),
        pod_affinity=pod_affinity(affinity.field("podAffinity")),
        pod_anti_affinity=pod_affinity(affinity.field("podAntiAffinity")),
        tolerations=[toleration(reader) for reader in spec.field("tolerations").items()],
        topology_spread_constraints=[
            constraint(reader) for reader in spec.field("topologySpreadConstraints").items()
        ],
        images=[reader.field("image").text() for reader in spec.field("containers").items()],
        init_images=[
            reader.field("image").text() for reader in spec.field("initContainers").items()
        ],
        spread_selector=spread_selector,
        terminating=metadata.field("deletionTimestamp").value is not None,
        host_ports=host_ports(spec),
        **further,
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
