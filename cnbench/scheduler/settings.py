"""What a scheduler's profile can set for its plugins."""

from __future__ import annotations

from dataclasses import dataclass, field

from cnbench.scheduler.model.node_rules import NodeAffinity
from cnbench.scheduler.model.placement_rules import TopologySpreadConstraint
from cnbench.scheduler.model.quantities import CPU, MEMORY

# Names of resources and what each is worth in a mean.
Weights = tuple[tuple[str, int], ...]

# kube-scheduler's own default constraints (podtopologyspread/plugin.go), for pods that a service or
# a controller selects and that have no constraints of their own.
SYSTEM = "System"

CPU_AND_MEMORY: Weights = ((CPU, 1), (MEMORY, 1))


@dataclass(frozen=True, eq=False)
class Settings:
    """Settings of plugins; two are the same only if they are one object.

    Attributes:
        resources: what LeastAllocated, MostAllocated and RequestedToCapacityRatio look at.
        balanced_resources: what BalancedAllocation looks at.
        hard_pod_affinity_weight: what a placed pod's required affinity term is worth, 0 to 100.
        ignore_existing_preferences: whether the preferred terms of placed pods do not count for
            a pod that has none of its own.
        ignored_resources: extended resources that NodeResourcesFit does not look at.
        ignored_resource_groups: the same by what comes before the slash.
        added_affinity: node affinity that every pod has besides its own.
        default_constraints: spread constraints of pods that have none: the system's, or a list.
        utilization_shape: RequestedToCapacityRatio's points: percent used, score of 0 to 10.
    """

    resources: Weights = CPU_AND_MEMORY
    balanced_resources: Weights = CPU_AND_MEMORY
    hard_pod_affinity_weight: int = 1
    ignore_existing_preferences: bool = False
    ignored_resources: frozenset[str] = frozenset()
    ignored_resource_groups: frozenset[str] = frozenset()
    added_affinity: NodeAffinity = field(default_factory=NodeAffinity)
    default_constraints: str | tuple[TopologySpreadConstraint, ...] = SYSTEM
    utilization_shape: tuple[tuple[int, int], ...] = ()


DEFAULT_SETTINGS = Settings()
