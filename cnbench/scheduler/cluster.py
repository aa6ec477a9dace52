"""A cluster in columns: the nodes' state, and the pods placed on them.

Nodes are numbered in the order given. Placing or removing a pod touches only its node's entries:
the resource columns, the tallies of the selectors that mean the pod, and of the terms it holds.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np

from cnbench.scheduler.columns.arrays import Codes, Ints, Mask
from cnbench.scheduler.columns.caches import BoundedCache, frozen
from cnbench.scheduler.columns.host_ports import HostPorts
from cnbench.scheduler.columns.ledgers import Ledgers, demand_in
from cnbench.scheduler.columns.node_labels import LabelColumn, NodeLabels
from cnbench.scheduler.columns.pod_sets import HeldTerm, NamespaceLabels, PodSets, terms_held_by
from cnbench.scheduler.columns.resources import Demand, Resources
from cnbench.scheduler.errors import NotPlacedError, SchedulerInputError, UnknownNodeError
from cnbench.scheduler.model import checks
from cnbench.scheduler.model.objects import Node, Pod
from cnbench.scheduler.model.placement_rules import Taint
from cnbench.scheduler.model.spec import Spec, checked_labels

# Results that depend on nodes and spec alone, at most this many of up to 8 B a node each.
_STATIC_RESULTS = 64
_NODE_BITS = 32


class PodShape:
    """A spec as one cluster knows it: interned, with everything placing needs at hand."""

    __slots__ = ("compiled", "demands", "has_fields", "held", "number", "pods", "spec")

    def __init__(self, number: int, spec: Spec, cluster: "Cluster") -> None:
        self.number = number
        self.spec = spec
        rows = cluster.resources.rows
        self.demands = tuple((amounts.since, Demand(amounts, rows)) for amounts in spec.amounts)
        self.pods = cluster.pod_sets.class_of(spec)
        # Whether a filter by field has anything to do (plugins.FIELD_FILTERS).
        fields = (spec.scheduling_gates, spec.node_name, spec.host_ports, spec.volumes)
        self.has_fields = any(fields)
        # Made when a pod of this shape is first placed: pods only asked about hold no terms.
        self.held: tuple[HeldTerm, ...] | None = None
        # What plugins work out once and keep (constraints, queries), by plugin.
        self.compiled: dict[Hashable, object] = {}

    def demand(self, minor: int) -> Demand:
        """What such a pod counts for in a release, given by its minor number."""
        return demand_in(self.demands, minor)


class Cluster:
    """Nodes, and pods placed on them.

    Args:
        nodes: the nodes; their names must differ.
        namespaces: labels of namespaces by name, for affinity terms with a namespace_selector.

    Raises:
        SchedulerInputError: there is no node, or two share a name.

    Memory: about 0.5 KiB a node and 150 B a pod, its name included.
    """

    def __init__(self, nodes: Iterable[Node], namespaces: NamespaceLabels | None = None) -> None:
        listed = list(nodes)
        for number, node in enumerate(listed):
            checks.instance(node, Node, "cluster", f"nodes[{number}]")
        for name, labels in checks.a_map(namespaces or {}, "cluster", "namespaces").items():
            checked_labels(labels, f"namespace {name}")
        self.node_names: Sequence[str] = [node.name for node in listed]
        self._number_of = _numbered(self.node_names)
        self.labels = NodeLabels(listed)
        self._ledgers = Ledgers(listed)
        self.taint_sets, self.taints = _taints(listed)
        self.image_sizes, self.image_nodes = _images(listed)
        self.pod_sets = PodSets(len(listed), namespaces or {})
        self.host_ports = HostPorts(len(listed))
        self.numbers: Codes = frozen(np.arange(len(listed)))
        self.everywhere: Mask = frozen(np.ones(len(listed), dtype=bool))
        self.no_score: Ints = frozen(np.zeros(len(listed), dtype=np.int64))
        self.static = BoundedCache(_STATIC_RESULTS)
        self._shapes: dict[Spec, PodShape] = {}
        self._shape_list: list[PodShape] = []
        self._placed: dict[str, dict[str, int]] = {}
        self._contents: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self.node_names)

    @property
    def pod_count(self) -> int:
        """The pods placed."""
        return sum(len(names) for names in self._placed.values())

    def node_number(self, node: int | str) -> int:
        """The number of a node given by name (or by its number already).

        Raises:
            UnknownNodeError: there is no such node.
        """
        number = self._number_of.get(node, -1) if isinstance(node, str) else node
        if not 0 <= number < len(self):
            raise UnknownNodeError(node, len(self))
        return number

    def numbers_of(self, name: str) -> list[int]:
        """The number of the node with this name, or nothing."""
        return [self._number_of[name]] if name in self._number_of else []

    def shape(self, pod: Pod) -> PodShape:
        """The pod's spec as this cluster knows it.

        Raises:
            SchedulerInputError: what was given is no Pod.
        """
        checks.instance(pod, Pod, "scheduler", "pod")
        spec = pod.spec
        shape = self._shapes.get(spec)
        if shape is None:
            shape = self._shapes[spec] = PodShape(len(self._shape_list), spec, self)
            self._shape_list.append(shape)
        return shape

    def add(self, pod: Pod, node: int | str) -> None:
        """Place a pod on a node, whether it fits there or not.

        Raises:
            SchedulerInputError: the pod has no name or is placed already.
            UnknownNodeError: there is no such node.
        """
        number = self.node_number(node)
        shape = self.shape(pod)
        names = self._placed.setdefault(pod.namespace, {})
        if pod.name in names or not pod.name:
            raise _unplaceable(pod)
        self._ledgers.take(shape.demands, number, 1)
        names[pod.name] = shape.number << _NODE_BITS | number
        self._count(shape, number, 1)

    def remove(self, pod: Pod | str) -> str:
        """Take a pod off its node and return the node's name.

        Args:
            pod: the pod, or its "namespace/name" ("name" alone is in namespace default).

        Raises:
            NotPlacedError: it is not placed.
        """
        namespace, name = _name_of(pod)
        try:
            entry = self._placed[namespace].pop(name)
        except KeyError:
            raise NotPlacedError(f"{namespace}/{name}") from None
        shape, number = self._shape_list[entry >> _NODE_BITS], entry & (1 << _NODE_BITS) - 1
        self._ledgers.take(shape.demands, number, -1)
        self._count(shape, number, -1)
        return self.node_names[number]

    def node_of(self, pod: Pod | str) -> str | None:
        """The name of the node a pod is placed on, or None."""
        namespace, name = _name_of(pod)
        entry = self._placed.get(namespace, {}).get(name)
        return None if entry is None else self.node_names[entry & (1 << _NODE_BITS) - 1]

    @property
    def kept(self) -> int:
        """How many answers are kept: tallies of selectors, results from nodes and rules alone."""
        return len(self.static) + len(self.pod_sets)

    def forget_questions(self) -> None:
        """Forget all that was asked: the next question is worked out afresh, to the same answer.

        Kept are the nodes, the pods placed and the columns of labels. Gone are the tallies of
        selectors, what depends on nodes and rules alone, and the shapes seen since one was last
        placed for the first time, which otherwise stay for as long as the cluster does.
        """
        for shape in self._shape_list:
            shape.compiled.clear()
        while self._shape_list and self._shape_list[-1].held is None:
            del self._shapes[self._shape_list.pop().spec]
        self.pod_sets.forget_queries()
        self.static.clear()
        self._contents.clear()

    def _count(self, shape: PodShape, node: int, sign: int) -> None:
        if shape.held is None:
            shape.held = tuple(self.pod_sets.held(key) for key in terms_held_by(shape.spec))
        tallies = [*shape.pods.counted_by(), *(term.tally for term in shape.held)]
        if shape.has_fields:
            tallies += [self.host_ports.tally(port) for port in shape.spec.host_ports]
        for tally in tallies:
            if sign > 0:
                tally.add(node)
            else:
                tally.remove(node)

    def content(self, key: Hashable) -> int:
        """A small number for anything hashable, equal for equal things.

        Shapes keep such numbers to ask `static` with: hashing long selectors once is enough.
        """
        return self._contents.setdefault(key, len(self._contents))

    @property
    def resources(self) -> Resources:
        """What the nodes have and what is left of it, as the newest release counts pods."""
        return self._ledgers.newest

    def resources_in(self, minor: int) -> Resources:
        """The same as a release counts pods, given by its minor number."""
        return self._ledgers.of(minor)

    def topology(self, key: str) -> LabelColumn:
        """The column of a node label."""
        return self.labels.column(key)

    def requested(self, resource: str) -> Ints:
        """What the pods placed request of a resource, per node (int64; base units).

        Raises:
            KeyError: no node has heard of the resource; `resources.rows` names those known.
        """
        used: Ints = self.resources.used[self.resources.rows[resource]].astype(np.int64)
        return used

    def capacity(self, resource: str) -> Ints:
        """What the nodes have of a resource (int64; base units)."""
        capacity: Ints = self.resources.capacity[self.resources.rows[resource]].astype(np.int64)
        return capacity


def _numbered(names: Sequence[str]) -> Mapping[str, int]:
    if not names:
        raise SchedulerInputError("cluster", "nodes", "there must be at least one node")
    numbers = {name: number for number, name in enumerate(names)}
    if len(numbers) < len(names):
        twice = next(name for number, name in enumerate(names) if numbers[name] != number)
        raise SchedulerInputError(f"node {twice}", "metadata.name", "two nodes have this name")
    return numbers


def _unplaceable(pod: Pod) -> SchedulerInputError:
    problem = "is placed already; remove it first" if pod.name else "must not be empty to be placed"
    return SchedulerInputError(f"pod {pod.key}", "metadata.name", problem)


def _name_of(pod: Pod | str) -> tuple[str, str]:
    if isinstance(pod, Pod):
        return pod.namespace, pod.name
    namespace, _, name = pod.rpartition("/")
    return namespace or "default", name


def _taints(nodes: Sequence[Node]) -> tuple[list[tuple[Taint, ...]], Codes]:
    """The distinct sets of taints, and the number of each node's set."""
    sets: dict[tuple[Taint, ...], int] = {}
    codes = [sets.setdefault(tuple(node.taints), len(sets)) for node in nodes]
    return list(sets), np.array(codes, dtype=np.intp)


def _images(nodes: Sequence[Node]) -> tuple[dict[str, int], dict[str, Codes]]:
    """Each image's size (as the first node that has it says, like Kubernetes) and its nodes."""
    sizes: dict[str, int] = {}
    holders: dict[str, list[int]] = {}
    for number, node in enumerate(nodes):
        for name, size in node.images.items():
            sizes.setdefault(name, int(size))
            holders.setdefault(name, []).append(number)
    return sizes, {name: np.array(numbers, dtype=np.intp) for name, numbers in holders.items()}
