"""Clusters made up from a seed: the same numbers always give the same cluster, pod for pod.

Nodes come in a few sizes, spread over zones and racks; some are tainted, some hold images. Pods
belong to replica sets; stated shares of the sets have node affinity, spread constraints, and
affinity to other pods. Pods are put on nodes at random (not by the scheduler), so that a
cluster of 100,000 nodes and 1,000,000 pods can be made in seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnbench.scheduler.cluster import Cluster
from cnbench.scheduler.columns.node_labels import HOSTNAME
from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.model.node_rules import (
    NodeAffinity,
    NodeSelectorTerm,
    PreferredSchedulingTerm,
)
from cnbench.scheduler.model.objects import Node, Pod
from cnbench.scheduler.model.placement_rules import (
    NO_SCHEDULE,
    PREFER_NO_SCHEDULE,
    SCHEDULE_ANYWAY,
    PodAffinity,
    PodAffinityTerm,
    Taint,
    Toleration,
    TopologySpreadConstraint,
    WeightedPodAffinityTerm,
)
from cnbench.scheduler.model.quantities import CPU, GIB, MEMORY, MIB, PODS
from cnbench.scheduler.model.selectors import Requirement

ZONE = "topology.kubernetes.io/zone"
RACK = "example.com/rack"
DISK = "example.com/disk"
GENERATION = "example.com/generation"
DEDICATED = "example.com/dedicated"

_SIZES = ((8_000, 32 * GIB), (16_000, 64 * GIB), (32_000, 128 * GIB), (64_000, 256 * GIB))
_IMAGES = tuple(f"registry.example.com/app-{number}:1" for number in range(40))


@dataclass(frozen=True, slots=True)
class Mix:
    """What a synthetic cluster is made of. Shares are of nodes or of replica sets, 0 to 1.

    Attributes:
        nodes: how many nodes, 10 to 100,000.
        pods: how many pods run already, up to 1,000,000.
        seed: what everything random follows from.
        zones: how many zones.
        nodes_per_rack: how many nodes share a rack.
        replicas: pods per replica set.
        tainted: nodes with a NoSchedule taint.
        discouraged: nodes with a PreferNoSchedule taint.
        node_affinity: sets with required and preferred node affinity.
        spread: sets with topology spread constraints (half of them required, half preferred).
        preferred_affinity: sets with preferred pod affinity and anti-affinity.
        anti_affinity: sets whose pods must not share a node.
    """

    nodes: int = 100
    pods: int = 1_000
    seed: int = 0
    zones: int = 5
    nodes_per_rack: int = 40
    replicas: int = 50
    tainted: float = 0.05
    discouraged: float = 0.2
    node_affinity: float = 0.3
    spread: float = 0.3
    preferred_affinity: float = 0.2
    anti_affinity: float = 0.05

    def __post_init__(self) -> None:
        for field, least, most in (("nodes", 1, 1_000_000), ("pods", 0, 10_000_000)):
            value = getattr(self, field)
            if type(value) is not int or not least <= value <= most:
                problem = f"{value!r} must be an integer from {least} to {most}"
                raise SchedulerInputError("synthetic cluster", field, problem)


@dataclass(frozen=True, slots=True)
class Synthetic:
    """A made-up cluster.

    Attributes:
        cluster: the nodes and the pods that run.
        templates: one pod per replica set, unnamed; `template.named("x")` is a replica.
    """

    cluster: Cluster
    templates: Sequence[Pod]


def synthetic_nodes(mix: Mix) -> list[Node]:
    """The nodes of a mix."""
    random = np.random.default_rng((mix.seed, 1))
    sizes = random.integers(0, len(_SIZES), mix.nodes).tolist()
    zones = random.integers(0, mix.zones, mix.nodes).tolist()
    lots = random.random((mix.nodes, 3)).tolist()
    images = random.integers(0, len(_IMAGES), (mix.nodes, 3)).tolist()
    return [
        _node(mix, number, sizes[number], zones[number], lots[number], images[number])
        for number in range(mix.nodes)
    ]


def _node(
    mix: Mix, number: int, size: int, zone: int, lots: Sequence[float], images: Sequence[int]
) -> Node:
    cpu, memory = _SIZES[size]
    labels = {
        HOSTNAME: f"node-{number:06d}",
        ZONE: f"zone-{zone}",
        RACK: f"rack-{number // mix.nodes_per_rack}",
        DISK: "ssd" if lots[0] < 0.7 else "hdd",
        GENERATION: str(size + 1),
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node.kubernetes.io/instance-type": f"size-{size}",
    }
    taints = []
    if lots[1] < mix.tainted:
        taints.append(Taint(DEDICATED, "batch", NO_SCHEDULE))
    if lots[2] < mix.discouraged:
        taints.append(Taint(DEDICATED, "shared", PREFER_NO_SCHEDULE))
    held = {_IMAGES[image]: (100 + 40 * image) * MIB for image in images}
    return Node(f"node-{number:06d}", {CPU: cpu, MEMORY: memory, PODS: 110}, labels, taints, held)


def synthetic_templates(mix: Mix) -> list[Pod]:
    """One pod per replica set of a mix; at least one."""
    random = np.random.default_rng((mix.seed, 2))
    number_of_sets = max(1, -(-mix.pods // mix.replicas))
    lots = random.random((number_of_sets, 5)).tolist()
    sizes = random.integers(1, 9, (number_of_sets, 2)).tolist()
    return [_template(mix, number, lots[number], sizes[number]) for number in range(number_of_sets)]


def _template(mix: Mix, number: int, lots: Sequence[float], sizes: Sequence[int]) -> Pod:
    labels = {"app": f"app-{number}", "tier": ("web", "store", "batch")[number % 3]}
    constraints: tuple[TopologySpreadConstraint, ...] = ()
    if lots[1] < mix.spread:
        constraints = spread_over_zones(labels, required=lots[1] < mix.spread / 2)
    near = PodAffinity()
    away = PodAffinity()
    if lots[2] < mix.preferred_affinity:
        near = PodAffinity(preferred=[prefer(20, ZONE, {"tier": "store"})])
        away = PodAffinity(preferred=[prefer(50, HOSTNAME, {"app": labels["app"]})])
    if lots[3] < mix.anti_affinity:
        away = PodAffinity([PodAffinityTerm(HOSTNAME, {"app": labels["app"]})], away.preferred)
    return Pod(
        requests={CPU: 50 * sizes[0], MEMORY: 64 * MIB * sizes[1]},
        labels=labels,
        node_affinity=fast_disks() if lots[0] < mix.node_affinity else None,
        pod_affinity=near,
        pod_anti_affinity=away,
        tolerations=[Toleration(DEDICATED, "Equal", "batch")] if lots[4] < 0.3 else [],
        topology_spread_constraints=constraints,
        images=[_IMAGES[number % len(_IMAGES)]],
        spread_selector={"app": labels["app"]},
    )


def fast_disks() -> NodeAffinity:
    """Requires a generation above the first; prefers ssd, and more the newest generations."""
    newer = NodeSelectorTerm([Requirement(GENERATION, "Gt", ("1",))])
    newest = NodeSelectorTerm([Requirement(GENERATION, "In", ("3", "4"))])
    ssd = NodeSelectorTerm([Requirement(DISK, "In", ("ssd",))])
    preferred = [PreferredSchedulingTerm(60, ssd), PreferredSchedulingTerm(25, newest)]
    return NodeAffinity([newer], preferred)


def spread_over_zones(
    labels: dict[str, str], required: bool
) -> tuple[TopologySpreadConstraint, ...]:
    """Evenly over zones (required with a skew of at most 5, or preferred) and, preferred, nodes."""
    app = {"app": labels["app"]}
    over_nodes = TopologySpreadConstraint(2, HOSTNAME, SCHEDULE_ANYWAY, app)
    if required:
        return TopologySpreadConstraint(5, ZONE, label_selector=app), over_nodes
    return TopologySpreadConstraint(1, ZONE, SCHEDULE_ANYWAY, app), over_nodes


def prefer(weight: int, key: str, labels: dict[str, str]) -> WeightedPodAffinityTerm:
    """A preferred term over pods with these labels."""
    return WeightedPodAffinityTerm(weight, PodAffinityTerm(key, labels))


def synthetic_cluster(mix: Mix) -> Synthetic:
    """The whole of a mix: nodes, replica sets, and the pods placed at random."""
    return populated(Cluster(synthetic_nodes(mix)), synthetic_templates(mix), mix)


def populated(cluster: Cluster, templates: Sequence[Pod], mix: Mix) -> Synthetic:
    """The cluster with the pods of a mix placed at random, the replica sets taking turns."""
    for number, node in enumerate(nodes_of_pods(mix)):
        cluster.add(templates[number % len(templates)].named(f"pod-{number}"), node)
    return Synthetic(cluster, templates)


def nodes_of_pods(mix: Mix) -> list[int]:
    """The number of the node that each pod of a mix runs on, in the order of the pods."""
    random = np.random.default_rng((mix.seed, 3))
    nodes: list[int] = random.integers(0, mix.nodes, mix.pods).tolist()
    return nodes


def demanding_pod(templates: Sequence[Pod]) -> Pod:
    """A pod with every kind of rule at once, alike to the first replica set's: the worst case."""
    app = dict(templates[0].labels)
    return Pod(
        "demanding",
        requests={CPU: 250, MEMORY: 512 * MIB},
        labels=app,
        node_affinity=fast_disks(),
        pod_affinity=PodAffinity(
            [PodAffinityTerm(ZONE, {"tier": app["tier"]})], [prefer(20, ZONE, {"tier": "store"})]
        ),
        pod_anti_affinity=PodAffinity(
            [PodAffinityTerm(HOSTNAME, {"app": "nobody"})], [prefer(50, HOSTNAME, app)]
        ),
        tolerations=[Toleration(DEDICATED, "Equal", "batch")],
        topology_spread_constraints=[
            TopologySpreadConstraint(10_000, ZONE, label_selector={"tier": app["tier"]}),
            *spread_over_zones(app, required=False),
        ],
        images=_IMAGES[:2],
        spread_selector={"app": app["app"]},
    )
