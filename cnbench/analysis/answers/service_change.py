"""What service-change answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_least
from cnbench.analysis.answers.figures import over_other, shown, value

_NEW = "a new endpoint"
_PROGRAMMING = over_other("programming", _NEW, "whole", _NEW, called="its programming's share")
_MOST = 0.5

ANSWERS = (
    Answer(
        experiment="service-change",
        question="Where does the time go until a new endpoint is used, at 500 Services?",
        cases=Cases({_NEW: {"change": "added"}}, services=500),
        shows=(
            value("whole"), value("slice", named="its EndpointSlice"),
            value("programming", named="programming"), shown(_PROGRAMMING),
        ),
        statement="Most of the time until a new endpoint is used is iptables being programmed",
        tests=(at_least(_PROGRAMMING, _MOST, _NEW),),
        repeat="run service-change -p change=added -p services=500",
    ),
)  # fmt: skip
