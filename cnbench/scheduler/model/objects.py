"""Nodes and pods as the scheduler sees them: plain dataclasses named after Kubernetes' fields.

Amounts are integers in base units: millicpu for "cpu", bytes for "memory", counts for the rest;
a string is read as a Kubernetes quantity, so "500m" and 500 are the same cpu, "128Mi" and
134217728 the same memory. Everything is checked when it is made: a `SchedulerInputError` names
the object and the field.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Protocol, TypeVar, cast

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.model import checks
from cnbench.scheduler.model.placement_rules import (
    NodeAffinity,
    PodAffinity,
    Taint,
    Toleration,
    TopologySpreadConstraint,
)
from cnbench.scheduler.model.quantities import CPU, MEMORY, MIB, PODS, amounts
from cnbench.scheduler.model.selectors import LabelSelector, as_selector, check_selector

# kubelet's default --max-pods, for a node that does not say.
DEFAULT_PODS_PER_NODE = 110
# What scoring assumes for a pod that does not say (pkg/scheduler/util, GetNonzeroRequests).
DEFAULT_SCORED_CPU = 100
DEFAULT_SCORED_MEMORY = 200 * MIB

_NO_NODE_AFFINITY = NodeAffinity()
_NO_POD_AFFINITY = PodAffinity()

Value = TypeVar("Value")


class _Checkable(Protocol):
    def check(self, where: str, field: str) -> None: ...


Checked = TypeVar("Checked", bound=_Checkable)


def normalised_image(name: str) -> str:
    """The image's name with the tag the container runtime would add (`nginx` is `nginx:latest`)."""
    return name if name.rfind(":") > name.rfind("/") else f"{name}:latest"


@dataclass(frozen=True)
class Node:
    """A node and what it can allocate.

    Attributes:
        name: unique in its cluster.
        capacity: allocatable amounts ("cpu" in millicpu, "memory" in bytes, "pods", extended
            resources such as "nvidia.com/gpu"). Without "pods", kubelet's default of 110.
        labels: the node's labels.
        taints: the node's taints.
        images: bytes by image name, for ImageLocality.
    """

    name: str
    capacity: Mapping[str, int | str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Iterable[Taint] = ()
    images: Mapping[str, int | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        where = f"node {self.name}"
        if not isinstance(self.name, str) or not self.name:
            raise SchedulerInputError(where, "metadata.name", "must not be empty")
        capacity = amounts(self.capacity, where, "status.allocatable")
        capacity.setdefault(PODS, DEFAULT_PODS_PER_NODE)
        checks.a_map(self.images, where, "status.images")
        images = {normalised_image(str(name)): size for name, size in self.images.items()}
        taints = checks.listed(self.taints)
        _check_each(taints, Taint, where, "spec.taints")
        object.__setattr__(self, "capacity", capacity)
        object.__setattr__(self, "labels", checked_labels(self.labels, where))
        object.__setattr__(self, "taints", taints)
        object.__setattr__(self, "images", amounts(images, where, "status.images"))


@dataclass(frozen=True)
class Pod:
    """A pod to be scheduled, or one that runs.

    Attributes:
        name: unique in its namespace; needed to place and remove it.
        namespace: where it lives.
        requests: what it asks of a node in all (see the module for units). NodeResourcesFit and
            BalancedAllocation count these.
        scored_requests: cpu and memory as LeastAllocated and MostAllocated see them. None
            derives them: what is requested, and 100 millicpu or 200 MiB where a resource is not
            named at all (an explicit 0 stays 0).
        labels: the pod's labels.
        node_selector: labels a node must have.
        node_affinity: required and preferred node selector terms.
        pod_affinity: required and preferred terms over other pods.
        pod_anti_affinity: the same, to stay away.
        tolerations: taints the pod puts up with.
        topology_spread_constraints: DoNotSchedule ones filter, ScheduleAnyway ones score.
        images: one image per container, for ImageLocality.
        init_images: the same of the init containers; they count since 1.29.
        spread_selector: what SelectorSpread counts: the merged selector of the services and of
            the controller that own the pod; None or empty for a pod that has neither.
        terminating: whether it is being deleted; such pods do not count for spreading.
    """

    name: str = ""
    namespace: str = "default"
    requests: Mapping[str, int | str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)
    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None
    tolerations: Iterable[Toleration] = ()
    topology_spread_constraints: Iterable[TopologySpreadConstraint] = ()
    images: Iterable[str] = ()
    spread_selector: LabelSelector | Mapping[str, str] | None = None
    scored_requests: Mapping[str, int | str] | None = None
    terminating: bool = False
    init_images: Iterable[str] = ()
    spec: "Spec" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        where = f"pod {self.key}"
        checks.texts((self.name,), where, "metadata.name")
        requests = amounts(self.requests, where, "requests")
        asked, scored = _items(requests), self._scored(where)
        spec = Spec(
            namespace=self.namespace,
            labels=_items(checked_labels(self.labels, where)),
            requests=asked,
            scored_requests=asked if asked == scored else scored,
            node_selector=_items(checked_labels(self.node_selector, where, "spec.nodeSelector")),
            node_affinity=self.node_affinity or _NO_NODE_AFFINITY,
            pod_affinity=self.pod_affinity or _NO_POD_AFFINITY,
            pod_anti_affinity=self.pod_anti_affinity or _NO_POD_AFFINITY,
            tolerations=checks.listed(self.tolerations),
            topology_spread_constraints=checks.listed(self.topology_spread_constraints),
            images=_images(self.images, where, "images"),
            init_images=_images(self.init_images, where, "init_images"),
            spread_selector=as_selector(self.spread_selector),
            terminating=bool(self.terminating),
        )
        spec.check(where)
        if requests != self.requests:
            object.__setattr__(self, "requests", requests)
        object.__setattr__(self, "spec", spec)

    def _scored(self, where: str) -> tuple[tuple[str, int], ...]:
        given = self.requests if self.scored_requests is None else self.scored_requests
        scored = amounts(given, where, "requests")
        scored.setdefault(CPU, DEFAULT_SCORED_CPU)
        scored.setdefault(MEMORY, DEFAULT_SCORED_MEMORY)
        return _items(scored)

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    def named(self, name: str) -> "Pod":
        """The same pod under another name, sharing its spec: a replica, made cheaply."""
        replica = object.__new__(Pod)
        replica.__dict__.update(self.__dict__)
        replica.__dict__["name"] = name
        return replica


@dataclass(frozen=True, slots=True)
class Spec:
    """All of a pod that decides where it may go: hashable, and shared by its replicas."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    requests: tuple[tuple[str, int], ...]
    scored_requests: tuple[tuple[str, int], ...]
    node_selector: tuple[tuple[str, str], ...]
    node_affinity: NodeAffinity
    pod_affinity: PodAffinity
    pod_anti_affinity: PodAffinity
    tolerations: tuple[Toleration, ...]
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...]
    images: tuple[str, ...]
    init_images: tuple[str, ...]
    spread_selector: LabelSelector | None
    terminating: bool
    # Computed once, and not before the check: what was given may not be hashable.
    _hash: int | None = field(default=None, init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        if self._hash is None:
            named = (one.name for one in fields(self) if one.compare)
            object.__setattr__(self, "_hash", hash(tuple(getattr(self, name) for name in named)))
        return self._hash  # type: ignore[return-value]

    def check(self, where: str) -> None:
        """Raise SchedulerInputError naming the first field that is malformed."""
        if not isinstance(self.namespace, str) or not self.namespace:
            raise SchedulerInputError(where, "metadata.namespace", "must not be empty")
        for field_name, affinity, kind in (
            ("nodeAffinity", self.node_affinity, NodeAffinity),
            ("podAffinity", self.pod_affinity, PodAffinity),
            ("podAntiAffinity", self.pod_anti_affinity, PodAffinity),
        ):
            path = f"spec.affinity.{field_name}"
            checks.instance(affinity, kind, where, path)
            affinity.check(where, path)
        _check_each(self.tolerations, Toleration, where, "spec.tolerations")
        _check_each(
            self.topology_spread_constraints,
            TopologySpreadConstraint,
            where,
            "spec.topologySpreadConstraints",
        )
        check_selector(self.spread_selector, where, "spread_selector")


def checked_labels(
    labels: Mapping[str, str], where: str, path: str = "metadata.labels"
) -> dict[str, str]:
    """The labels as a dict of strings, or a SchedulerInputError naming the field."""
    checks.a_map(labels, where, path)
    for key, value in labels.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise SchedulerInputError(where, path, f"{key!r}: {value!r} must both be strings")
    return dict(labels)


def _check_each(given: object, kind: type[Checked], where: str, field: str) -> None:
    checks.a_list(given, where, field)
    for number, one in enumerate(cast("tuple[Checked, ...]", given)):
        checks.instance(one, kind, where, f"{field}[{number}]")
        one.check(where, f"{field}[{number}]")


def _images(given: Iterable[str], where: str, field: str) -> tuple[str, ...]:
    names = checks.listed(given)
    checks.texts(names, where, field)
    return tuple(normalised_image(name) for name in names)


def _items(mapping: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
    return tuple(sorted(mapping.items()))
