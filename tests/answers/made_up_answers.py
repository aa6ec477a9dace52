"""A made-up answer, and the cases that it is about."""

from dataclasses import replace

import made_up

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import less
from cnbench.analysis.answers.figures import cheapest, ratio, shown, value
from cnbench.analysis.chapters import chapters_of

A, B = [1.0, 1.01, 1.02, 1.0, 1.01, 1.02, 1.0], [2.0, 2.02, 2.04, 2.0, 2.02, 2.04, 2.0]
BOTH = Cases({"a": {"mode": "a"}, "b": {"mode": "b"}}, size=1)


def picked(*results, cases=BOTH, **run):
    (chapter,) = chapters_of([made_up.run(*results, **run)])
    found = cases.pick(chapter)
    assert len(found) == 1
    return found[0]


def pair(a=A, b=B, **of_b):
    return picked(made_up.result(a), made_up.result(b, "b", **of_b))


def answer(**changes):
    made = Answer(
        "made-up",
        "What does b cost?",
        BOTH,
        (value("cost"), shown(ratio("cost", "b", "a"))),
        "a costs less",
        (less("cost", "a", "b"),),
        "run made-up",
        remark=cheapest("cost"),
    )
    return replace(made, **changes)
