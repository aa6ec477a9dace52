"""What pleg answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_least, at_most
from cnbench.analysis.answers.figures import of, ratio, shown, size_at, value

_WAYS = {"by events": {"way": "evented"}, "by listing": {"way": "generic"}}
_SOON = 0.1
# Seconds between two lists, and after which the kubelet says "PLEG is not healthy"
# (genericPlegRelistPeriod and genericPlegRelistThreshold of pkg/kubelet/kubelet.go).
_PERIOD, _THRESHOLD = 1.0, 180.0
# "No more than 110 pods per node" (Kubernetes' considerations for large clusters).
_PODS_OF_A_NODE = 110
_TEN_TIMES = 10.0

ANSWERS = (
    Answer(
        experiment="pleg",
        question="From a container's death until the kubelet knows, of ten pods",
        cases=Cases(_WAYS, pods=10),
        shows=(value("age"), shown(ratio("age", "by listing", "by events"))),
        statement="By events a death is known within a tenth of what listing takes",
        tests=(
            at_least(
                ratio("age", "by listing", "by events"), _TEN_TIMES, "by listing", "by events"
            ),
        ),
        repeat="run pleg -p pods=10",
        rank=1,
    ),
    Answer(
        experiment="pleg",
        question="What does looking at ten pods take?",
        cases=Cases({"relist": {"way": "generic"}}, pods=10),
        shows=(value("relist"), value("cpu", named="CPU time of containerd")),
        statement="Listing ten pods takes less than a tenth of the second between two lists",
        tests=(at_most(of("relist", "relist"), _SOON, "relist"),),
        repeat="run pleg -p way=generic -p pods=10",
    ),
    Answer(
        experiment="pleg",
        question="At how many pods does a list take longer than its period?",
        cases=Cases({"relist": {"way": "generic"}}, pods=10),
        shows=(
            shown(
                size_at("relist", _PERIOD, "pods", "pods at one period of 1 s"),
                size_at("relist", _THRESHOLD, "pods", "at 3 minutes, which is unhealthy"),
            ),
        ),
        statement="With the 110 pods that a node may have, listing ends within its period",
        tests=(
            at_least(size_at("relist", _PERIOD, "pods", "pods at 1 s"), _PODS_OF_A_NODE, "relist"),
        ),
        repeat="run pleg -p way=generic -p pods=1,10",
    ),
)
