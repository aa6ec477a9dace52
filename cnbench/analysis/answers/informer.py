"""What informer answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_least, less
from cnbench.analysis.answers.figures import ratio, shown, value

_SERVER = "kubernetes-1.20"
_FORMS = {
    "whole": {"form": "whole"},
    "stripped": {"form": "stripped"},
    "metadata": {"form": "metadata"},
}
_CASES = Cases(_FORMS, server=_SERVER, objects=1000)
_HALF = 2.0

ANSWERS = (
    Answer(
        experiment="informer",
        question="What memory does an informer need for an object with 1 KiB of data?",
        cases=_CASES,
        shows=(value("memory"), shown(ratio("memory", "whole", "metadata"))),
        statement="An informer of metadata alone needs less than half of the memory",
        tests=(at_least(ratio("memory", "whole", "metadata"), _HALF, "whole", "metadata"),),
        repeat=f"run informer -p server={_SERVER}",
    ),
    Answer(
        experiment="informer",
        question="What does a transform save that drops managed fields?",
        cases=_CASES,
        shows=(value("memory", "whole", "stripped"), shown(ratio("memory", "stripped", "whole"))),
        statement="Dropping managed fields saves an informer memory",
        tests=(less("memory", "stripped", "whole"),),
        repeat=f"run informer -p server={_SERVER}",
    ),
)
