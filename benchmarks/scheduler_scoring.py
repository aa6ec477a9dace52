"""scheduler-scoring for asv: a whole decision by size, and each plugin where it costs most."""

from typing import ClassVar

from cnbench.asv.suite import Measured, Suite, tracked


class SchedulerDecision(Suite):
    """Filter, score and choose, for a pod like one before and for the first of its kind."""

    experiment = "scheduler-scoring"
    counted = True
    axes: ClassVar = {"nodes": ("1000", "5000"), "shape": ("known", "new")}
    fixed: ClassVar = {"plugin": "all"}

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 300

    track_cost = tracked("scheduler-scoring", "cost")
    track_per_node = tracked("scheduler-scoring", "per_node")


class SchedulerPlugin(Suite):
    """One plugin's answer for all nodes."""

    experiment = "scheduler-scoring"
    counted = True
    axes: ClassVar = {
        "plugin": (
            "NodeResourcesFit",
            "NodeAffinity",
            "TaintToleration",
            "InterPodAffinity",
            "PodTopologySpread",
            "LeastAllocated",
            "BalancedAllocation",
            "SelectorSpread",
            "ImageLocality",
        ),
        "extension_point": ("filter", "score"),
    }
    fixed: ClassVar = {"nodes": "1000", "shape": "known"}

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 300

    track_cost = tracked("scheduler-scoring", "cost")
