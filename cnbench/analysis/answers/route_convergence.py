"""What route-convergence answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_most
from cnbench.analysis.answers.figures import of, value

ANSWERS = (
    Answer(
        experiment="route-convergence",
        question="From a node's announcement of 1,000 routes to the first packet through the last",
        cases=Cases({"BIRD": {"routing": "bird"}, "ip -batch": {"routing": "static"}}, routes=1000),
        shows=(value("convergence"),),
        statement="BGP brings 1,000 new routes to a neighbour within a second",
        tests=(at_most(of("convergence", "BIRD"), 1.0, "BIRD"),),
        repeat="run route-convergence -p routes=1000",
        rank=1,
    ),
)
