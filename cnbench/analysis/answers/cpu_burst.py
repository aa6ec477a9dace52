"""What cpu-burst answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_least, at_most, less
from cnbench.analysis.answers.figures import of, value

_NONE, _FULL = "without burst", "with burst"
_BURSTS = {_NONE: {"burst": 0.0}, _FULL: {"burst": 1.0}}
_REPEAT = "run cpu-burst -p burst=0%,100%"

ANSWERS = (
    Answer(
        experiment="cpu-burst",
        question="How long does a service wait that uses half of its quota on average?",
        cases=Cases(_BURSTS),
        shows=(value("stall"), value("throttled", _NONE, named="throttled in")),
        statement="A group can be throttled though it stays below its limit on average",
        tests=(
            at_least(of("throttled", _NONE), 0.01, _NONE),
            at_most(of("used", _NONE), 0.99, _NONE),
        ),
        repeat=_REPEAT,
        rank=1,
    ),
    Answer(
        experiment="cpu-burst",
        question="Does a burst help such a service?",
        cases=Cases(_BURSTS),
        shows=(value("stall"),),
        statement="A burst of the quota's size keeps a bursty service from most waiting",
        tests=(less("stall", _FULL, _NONE, by=0.5),),
        repeat=_REPEAT,
    ),
)
