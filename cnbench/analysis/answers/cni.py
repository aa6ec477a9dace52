"""What cni answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_least, at_most, less
from cnbench.analysis.answers.figures import of, ratio, shown, value
from cnbench.core.parameter import Value

_AS_MUCH_AGAIN = 2.0
_ALONE: dict[str, Value] = {"pods": 0, "parallel": 1}
_LEFT = ("host-local", "bridge", "portmap", "chain")

ANSWERS = (
    Answer(
        experiment="cni",
        question="Connecting a pod: the interface alone, or with all that may come after it?",
        cases=Cases({name: {"plugin": name} for name in ("bridge", "chain")}, **_ALONE),
        shows=(value("add"), value("del", named="DEL, {}"), shown(ratio("add", "chain", "bridge"))),
        statement="What comes after bridge in a chain costs more than bridge itself",
        tests=(at_least(ratio("add", "chain", "bridge"), _AS_MUCH_AGAIN, "chain", "bridge"),),
        repeat="run cni -p plugin=bridge,chain",
        rank=1,
    ),
    Answer(
        experiment="cni",
        question="Which interface is connected soonest?",
        cases=Cases({name: {"plugin": name} for name in ("bridge", "ptp", "macvlan")}, **_ALONE),
        shows=(value("add"),),
        statement="A macvlan interface is connected sooner than one on a bridge",
        tests=(less("add", "macvlan", "bridge"),),
        repeat="run cni -p plugin=bridge,ptp,macvlan",
    ),
    Answer(
        experiment="cni",
        question="What does a pod leave on its node whose runtime died before DEL?",
        cases=Cases({name: {"plugin": name} for name in _LEFT}, **_ALONE),
        shows=(value("left"), value("kept", named="late DEL, {}")),
        statement="A late DEL, without a namespace, takes away all that a pod has left",
        tests=tuple(at_most(of("kept", name), 0, name) for name in _LEFT),
        repeat=f"run cni -p plugin={','.join(_LEFT)}",
    ),
    Answer(
        experiment="cni",
        question="What of connecting a pod is the kernel's, and what the plug-in's?",
        cases=Cases(
            {"flannel's wiring": {"plugin": "flannel-wiring"}, "bridge": {"plugin": "bridge"}},
            **_ALONE,
        ),
        shows=(value("add"), shown(ratio("add", "bridge", "flannel's wiring"))),
        statement="The bridge plug-in takes longer than the same calls of the kernel alone",
        tests=(less("add", "flannel's wiring", "bridge"),),
        repeat="run cni -p plugin=bridge,flannel-wiring",
    ),
)  # fmt: skip
