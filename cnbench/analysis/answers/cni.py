"""What cni answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_least, less
from cnbench.analysis.answers.figures import ratio, shown, value

_AS_MUCH_AGAIN = 2.0

ANSWERS = (
    Answer(
        experiment="cni",
        question="Connecting a pod: the interface alone, or with all that may come after it?",
        cases=Cases({"bridge": {"plugin": "bridge"}, "chain": {"plugin": "chain"}}, pods=0),
        shows=(value("add"), value("del", named="DEL, {}"), shown(ratio("add", "chain", "bridge"))),
        statement="What comes after bridge in a chain costs more than bridge itself",
        tests=(at_least(ratio("add", "chain", "bridge"), _AS_MUCH_AGAIN, "chain", "bridge"),),
        repeat="run cni -p plugin=bridge,chain",
        rank=1,
    ),
    Answer(
        experiment="cni",
        question="Which interface is connected soonest?",
        cases=Cases({name: {"plugin": name} for name in ("bridge", "ptp", "macvlan")}, pods=0),
        shows=(value("add"),),
        statement="A macvlan interface is connected sooner than one on a bridge",
        tests=(less("add", "macvlan", "bridge"),),
        repeat="run cni -p plugin=bridge,ptp,macvlan",
    ),
)
