"""What container-network answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_least
from cnbench.analysis.answers.figures import ratio, shown, value

_MODES = {"host": {"mode": "host"}, "bridge": {"mode": "bridge"}}
_DEARER = 1.02

ANSWERS = (
    Answer(
        experiment="container-network",
        question="A request to a container from another machine: Docker's bridge or host network?",
        cases=Cases(_MODES, way="outside", traffic="tcp-rr"),
        shows=(value("latency"), shown(ratio("latency", "bridge", "host"))),
        statement="Docker's bridge costs more than the host's own network",
        tests=(at_least(ratio("latency", "bridge", "host"), _DEARER, "bridge", "host"),),
        repeat="run container-network -p mode=host,bridge -p way=outside -p traffic=tcp-rr",
        rank=1,
    ),
)
