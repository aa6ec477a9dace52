"""What container-gc answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_most
from cnbench.analysis.answers.figures import of, value

_SOON = 0.1

ANSWERS = (
    Answer(
        experiment="container-gc",
        question="What does tidying up after a dead container take?",
        cases=Cases({"one of five": {"dead": 5}}),
        shows=(
            value("container", named="the container"),
            value("sandbox", named="its pod's sandbox"),
            value("image", named="an unused image"),
        ),
        statement="A dead container is removed within a tenth of a second",
        tests=(at_most(of("container", "one of five"), _SOON, "one of five"),),
        repeat="run container-gc -p dead=5",
    ),
)
