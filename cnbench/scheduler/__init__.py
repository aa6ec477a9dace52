"""A cluster in columns, and the Kubernetes scheduler's filters and scores over it.

docs/scheduler.md has more; Kubernetes objects are read by cluster_from_dicts and pod_from_dict.

cluster = Cluster([Node("a", {"cpu": "4", "memory": "8Gi"}), Node("b", {"cpu": 8000, ...})])
scheduler = Scheduler(cluster, release="1.30")
pod = Pod("web-1", requests={"cpu": "500m", "memory": "128Mi"})
scheduler.filter(pod)          # which nodes it may go to, and why not to the others
scheduler.score(pod).total     # int64, one per node
scheduler.place(pod)           # the best one, taken
"""

from cnbench.scheduler.cluster import Cluster
from cnbench.scheduler.engine import Scheduler
from cnbench.scheduler.errors import NotPlacedError, SchedulerInputError, UnknownNodeError
from cnbench.scheduler.kubernetes import node_from_dict, pod_from_dict
from cnbench.scheduler.kubernetes_cluster import cluster_from_dicts, spread_selector_for
from cnbench.scheduler.objects import Node, Pod
from cnbench.scheduler.placement_rules import (
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
from cnbench.scheduler.results import FilterResult, Placement, Scores
from cnbench.scheduler.selectors import LabelSelector, Requirement

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
