"""Nodes and pods as the scheduler sees them: plain dataclasses named after Kubernetes' fields.

Amounts are integers in base units: millicpu for "cpu", bytes for "memory", counts for the rest;
a string is read as a Kubernetes quantity, so "500m" and 500 are the same cpu, "128Mi" and
134217728 the same memory. Everything is checked when it is made: a `SchedulerInputError` names
the object and the field.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.model import checks
from cnbench.scheduler.model.amounts import Amounts, alike_in_all, distinct
from cnbench.scheduler.model.attachments import HostPort, PodVolume, Unmodelled
from cnbench.scheduler.model.node_rules import NodeAffinity
from cnbench.scheduler.model.placement_rules import (
    PodAffinity,
    Taint,
    Toleration,
    TopologySpreadConstraint,
)
from cnbench.scheduler.model.quantities import LARGEST_CAPACITY, PODS, amounts
from cnbench.scheduler.model.selectors import LabelSelector, as_selector
from cnbench.scheduler.model.spec import (
    Spec,
    check_each,
    checked_labels,
    images,
    normalised_image,
)

# kubelet's default --max-pods, for a node that does not say.
DEFAULT_PODS_PER_NODE = 110

_NO_NODE_AFFINITY = NodeAffinity()
_NO_POD_AFFINITY = PodAffinity()


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

    Raises:
        SchedulerInputError: a field is malformed; the message names it.
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
        capacity = amounts(self.capacity, where, "status.allocatable", LARGEST_CAPACITY)
        capacity.setdefault(PODS, DEFAULT_PODS_PER_NODE)
        checks.a_map(self.images, where, "status.images")
        held = {normalised_image(str(name)): size for name, size in self.images.items()}
        sizes = amounts(held, where, "status.images", LARGEST_CAPACITY)
        taints = checks.listed(self.taints)
        check_each(taints, Taint, where, "spec.taints")
        object.__setattr__(self, "capacity", capacity)
        object.__setattr__(self, "labels", checked_labels(self.labels, where))
        object.__setattr__(self, "taints", taints)
        object.__setattr__(self, "images", sizes)


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
        spread_selector: what SelectorSpread and the default spread constraints count: the merged
            selector of the services and of the controller that own the pod; None or empty for a
            pod that has neither.
        terminating: whether it is being deleted; such pods do not count for spreading.
        amounts: what it counts for by release, in place of requests and scored_requests, which
            are then those of the newest release.
        host_ports: ports of the node that its containers take.
        node_name: the node it asks for by name; "" for any.
        scheduling_gates: what it waits for before a node is sought.
        volumes: what its claims demand of a node.
        volume_images: images that are volumes, for ImageLocality; they count since 1.33.
        unmodelled: fields that are not heeded here; asking about the pod is refused, or warned of.

    Raises:
        SchedulerInputError: a field is malformed; the message names it.
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
    amounts: Iterable[Amounts] = ()
    host_ports: Iterable[HostPort] = ()
    node_name: str = ""
    scheduling_gates: Iterable[str] = ()
    volumes: Iterable[PodVolume] = ()
    volume_images: Iterable[str] = ()
    unmodelled: Iterable[Unmodelled] = ()
    spec: Spec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        where = f"pod {self.key}"
        checks.texts((self.name,), where, "metadata.name")
        counted = distinct(self.amounts) or (
            alike_in_all(self.requests, self.scored_requests, where),
        )
        spec = Spec(
            namespace=self.namespace,
            labels=_items(checked_labels(self.labels, where)),
            amounts=counted,
            node_selector=_items(checked_labels(self.node_selector, where, "spec.nodeSelector")),
            node_affinity=self.node_affinity or _NO_NODE_AFFINITY,
            pod_affinity=self.pod_affinity or _NO_POD_AFFINITY,
            pod_anti_affinity=self.pod_anti_affinity or _NO_POD_AFFINITY,
            tolerations=checks.listed(self.tolerations),
            topology_spread_constraints=checks.listed(self.topology_spread_constraints),
            images=images(self.images, where, "images"),
            init_images=images(self.init_images, where, "init_images"),
            volume_images=images(self.volume_images, where, "volume_images"),
            spread_selector=as_selector(self.spread_selector),
            terminating=bool(self.terminating),
            host_ports=checks.listed(self.host_ports),
            node_name=self.node_name,
            scheduling_gates=checks.listed(self.scheduling_gates),
            volumes=checks.listed(self.volumes),
            unmodelled=checks.listed(self.unmodelled),
        )
        spec.check(where)
        requests = dict(spec.requests)
        if requests != self.requests:
            object.__setattr__(self, "requests", requests)
        object.__setattr__(self, "spec", spec)

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


def _items(mapping: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(mapping.items()))
