"""Published figures on what choosing a node costs: a real kube-scheduler's, and its thresholds."""

from __future__ import annotations

from cnbench.analysis.published.figure import Figure
from cnbench.analysis.published.ours import value_of

_MEASURED = "kube-scheduler 1.20.2, run for this project on a machine with 2 shared cores"
_THRESHOLD = "kubernetes, test/integration/scheduler_perf, thresholds"
_SERIAL = "5,000 nodes, one after another on one core; varies by up to 2x"
_WHOLE = "5,000 nodes, about 500 of them scored, on 2 cores"

_NODE_BY_NODE = "theirs asks node by node, in Go; ours asks about all nodes at once, over columns"
_EVERY_RULE = "our pod has every kind of rule at once"
_ATTEMPT = "theirs counts all that happens to a pod, from the queue to its binding"
_BOUND = "theirs is the least that its test asks for, not a measurement"


def _plugin(name: str, low_us: float, high_us: float, what: str = "score") -> Figure:
    return Figure(
        "scheduler-scoring",
        f"{name}: {what}, per pod and node",
        _SERIAL,
        low_us * 1e-6,
        high_us * 1e-6,
        "s",
        _MEASURED,
        value_of("per_node", plugin=name, extension_point="score", nodes=5000, scored="all"),
        unlike=(_NODE_BY_NODE,),
    )


def _decision(pod: str, milliseconds: float) -> Figure:
    return Figure(
        "scheduler-scoring",
        f"choosing a node, {pod}",
        _WHOLE,
        milliseconds * 1e-3,
        milliseconds * 1e-3,
        "s",
        _MEASURED,
        value_of("cost", plugin="all", nodes=5000, scored="adaptive"),
        unlike=(_NODE_BY_NODE, _EVERY_RULE),
    )


def _threshold(workload: str, pods_a_second: float) -> Figure:
    return Figure(
        "scheduler-scoring",
        f"scheduling a pod, {workload}",
        f"{pods_a_second:g} pods a second, 5,000 nodes",
        1 / pods_a_second,
        1 / pods_a_second,
        "s",
        _THRESHOLD,
        value_of("cost", plugin="all", nodes=5000, scored="adaptive"),
        unlike=(_BOUND, _ATTEMPT, _EVERY_RULE),
    )


PUBLISHED = (
    _plugin("LeastAllocated", 0.84, 1.49),
    _plugin("BalancedAllocation", 0.72, 1.77),
    _plugin("NodeAffinity", 2.8, 3.4),
    _plugin("TaintToleration", 0.07, 0.10),
    _plugin("ImageLocality", 0.12, 0.20),
    _plugin("InterPodAffinity", 2.6 + 0.28, 4.3 + 0.61, "pre-score and score"),
    _plugin("PodTopologySpread", 1.6 + 1.9, 2.7 + 2.0, "pre-score and score"),
    _plugin("SelectorSpread", 1.1, 2.1),
    Figure(
        "scheduler-scoring",
        "filtering and scoring every node for one pod",
        "5,000 nodes, 55,000 pods, 2019: filter 43.8 ms, score 83.6 ms",
        43.8e-3 + 83.6e-3,
        43.8e-3 + 83.6e-3,
        "s",
        "kubernetes/kubernetes#78208",
        value_of("cost", plugin="all", nodes=5000, scored="all"),
        unlike=(_NODE_BY_NODE, _EVERY_RULE),
    ),
    _decision("a pod with few rules", 3.74),
    _decision("a pod with preferred pod affinity", 19.0),
    _decision("a pod with node affinity", 8.98),
    _decision("a pod with preferred topology spreading", 10.1),
    _threshold("with few rules", 680),
    _threshold("with node affinity", 220),
    _threshold("with pod affinity", 35),
    _threshold("with preferred pod affinity", 90),
    _threshold("with pod anti-affinity", 60),
    _threshold("with topology spreading", 460),
    _threshold("with preferred topology spreading", 340),
    _threshold("a mix of all", 140),
)
