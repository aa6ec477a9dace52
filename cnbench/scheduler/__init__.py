"""A cluster in columns, and the Kubernetes scheduler's filters and scores over it.

docs/scheduler.md has more; Kubernetes objects are read by cluster_from_dicts and pod_from_dict.

cluster = Cluster([Node("a", {"cpu": "4", "memory": "8Gi"}), Node("b", {"cpu": 8000, ...})])
scheduler = Scheduler(cluster, release="1.30")
pod = Pod("web-1", requests={"cpu": "500m", "memory": "128Mi"})
scheduler.filter(pod)          # which nodes it may go to, and why not to the others
scheduler.score(pod).total     # int64, one per node
scheduler.place(pod)           # the best one, taken
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnbench.core.imports.lazy import lazily

if TYPE_CHECKING:
    from cnbench.scheduler.cluster import Cluster
    from cnbench.scheduler.engine import Scheduler
    from cnbench.scheduler.errors import NotPlacedError, SchedulerInputError, UnknownNodeError
    from cnbench.scheduler.inputs.kubernetes import node_from_dict, pod_from_dict
    from cnbench.scheduler.inputs.kubernetes_cluster import cluster_from_dicts, spread_selector_for
    from cnbench.scheduler.model.node_rules import (
        NodeAffinity,
        NodeSelectorTerm,
        PreferredSchedulingTerm,
    )
    from cnbench.scheduler.model.objects import Node, Pod
    from cnbench.scheduler.model.placement_rules import (
        PodAffinity,
        PodAffinityTerm,
        Taint,
        Toleration,
        TopologySpreadConstraint,
        WeightedPodAffinityTerm,
    )
    from cnbench.scheduler.model.selectors import LabelSelector, Requirement
    from cnbench.scheduler.results import FilterResult, Placement, Scores
__all__ = [
    "Cluster",
    "FilterResult",
    "LabelSelector",
    "Node",
    "NodeAffinity",
    "NodeSelectorTerm",
    "NotPlacedError",
    "Placement",
    "Pod",
    "PodAffinity",
    "PodAffinityTerm",
    "PreferredSchedulingTerm",
    "Requirement",
    "Scheduler",
    "SchedulerInputError",
    "Scores",
    "Taint",
    "Toleration",
    "TopologySpreadConstraint",
    "UnknownNodeError",
    "WeightedPodAffinityTerm",
    "cluster_from_dicts",
    "node_from_dict",
    "pod_from_dict",
    "spread_selector_for",
]

# The plain scheduler in reference/ runs without numpy, which a cluster in columns needs.
__getattr__, __dir__ = lazily(
    __name__,
    {
        "cnbench.scheduler.cluster": ("Cluster",),
        "cnbench.scheduler.engine": ("Scheduler",),
        "cnbench.scheduler.errors": (
            "NotPlacedError",
            "SchedulerInputError",
            "UnknownNodeError",
        ),
        "cnbench.scheduler.inputs.kubernetes": (
            "node_from_dict",
            "pod_from_dict",
        ),
        "cnbench.scheduler.inputs.kubernetes_cluster": (
            "cluster_from_dicts",
            "spread_selector_for",
        ),
        "cnbench.scheduler.model.objects": (
            "Node",
            "Pod",
        ),
        "cnbench.scheduler.model.node_rules": (
            "NodeAffinity",
            "NodeSelectorTerm",
            "PreferredSchedulingTerm",
        ),
        "cnbench.scheduler.model.placement_rules": (
            "PodAffinity",
            "PodAffinityTerm",
            "Taint",
            "Toleration",
            "TopologySpreadConstraint",
            "WeightedPodAffinityTerm",
        ),
        "cnbench.scheduler.model.selectors": (
            "LabelSelector",
            "Requirement",
        ),
        "cnbench.scheduler.results": (
            "FilterResult",
            "Placement",
            "Scores",
        ),
    },
)
