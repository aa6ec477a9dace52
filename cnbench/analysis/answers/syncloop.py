"""What syncloop answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_most
from cnbench.analysis.answers.figures import of, over_other, shown, value

_TEN = "ten pods"
_STARTED = over_other("start", _TEN, "running", _TEN, called="its container's part")
_HALF = 0.5
# "genericPlegRelistPeriod" of pkg/kubelet/kubelet.go: what a relist has until the next.
_HUNDREDTH_OF_A_PERIOD = 0.01

ANSWERS = (
    Answer(
        experiment="syncloop",
        question="From a pod's creation until its kubelet says that it runs",
        cases=Cases({_TEN: {"pods": 10}}),
        shows=(
            value("running"), value("start", named="its container runs after"), shown(_STARTED),
        ),
        statement="Most of the time until a pod is said to run, its container runs already",
        tests=(at_most(_STARTED, _HALF, _TEN),),
        repeat="run syncloop -p pods=10",
    ),
    Answer(
        experiment="syncloop",
        question="What does a real kubelet's relist of ten pods take?",
        cases=Cases({_TEN: {"pods": 10}}),
        shows=(value("relist"), value("ours", named="ours"), value("period", named="every")),
        statement="A kubelet's relist of ten pods takes less than a hundredth of its period",
        tests=(at_most(of("relist", _TEN), _HUNDREDTH_OF_A_PERIOD, _TEN),),
        repeat="run syncloop -p pods=10",
    ),
)  # fmt: skip
