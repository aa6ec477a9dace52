"""What reconcile answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_least
from cnbench.analysis.answers.figures import over_other, ratio, shown, value

_TEN = "ten pods"
_CLIENT = over_other("client", _TEN, "whole", _TEN, called="kubectl's share")
_MOST = 0.5
_STATEFUL = {"ordered": {"change": "statefulset"}, "parallel": {"change": "statefulset-parallel"}}
_TWICE = 2.0

ANSWERS = (
    Answer(
        experiment="reconcile",
        question="Where does the time go from kubectl until ten pods are bound to nodes?",
        cases=Cases({_TEN: {"replicas": 10}}, change="create", pods=0, roles=10),
        shows=(
            value("whole"), value("client", named="kubectl"), value("etcd", named="etcd"),
            value("pods", named="ReplicaSet to pods"), value("scheduling", named="scheduling"),
            shown(_CLIENT),
        ),
        statement="Most of the time until pods are bound is kubectl's own",
        tests=(at_least(_CLIENT, _MOST, _TEN),),
        repeat="run reconcile -p change=create -p replicas=10",
    ),
    Answer(
        experiment="reconcile",
        question="What does the order of a StatefulSet of ten pods cost, if pods start at once?",
        cases=Cases(_STATEFUL, replicas=10, pods=0),
        shows=(value("whole"), value("apart", named="between two pods, {}")),
        statement="An ordered StatefulSet takes twice what one does whose pods are parallel",
        tests=(at_least(ratio("whole", "ordered", "parallel"), _TWICE, "ordered", "parallel"),),
        repeat="run reconcile -p change=statefulset,statefulset-parallel",
    ),
)  # fmt: skip
