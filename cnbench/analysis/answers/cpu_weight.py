"""What cpu-weight answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import all_within
from cnbench.analysis.answers.figures import value

_DIVIDED = 0.02

ANSWERS = (
    Answer(
        experiment="cpu-weight",
        question="How far off ten to one do two groups of weights ten and one share a CPU?",
        cases=Cases({"v1": {"controller": "v1"}, "v2": {"controller": "v2"}}, ratio=10, threads=1),
        shows=(value("error"),),
        statement="Ten times the weight gives ten times the CPU",
        tests=(all_within("error", -_DIVIDED, _DIVIDED),),
        repeat="run cpu-weight -p ratio=10",
    ),
)
