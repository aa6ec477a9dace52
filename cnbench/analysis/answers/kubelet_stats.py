"""What kubelet-stats answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import less
from cnbench.analysis.answers.figures import ratio, shown, value

_FILES, _CRI = "cAdvisor's way", "the CRI"

ANSWERS = (
    Answer(
        experiment="kubelet-stats",
        question="What does reading the statistics of ten containers take?",
        cases=Cases({_CRI: {"way": "cri"}, _FILES: {"way": "cadvisor"}}, pods=10),
        shows=(
            value("read"), value("cpu", named="CPU time"), shown(ratio("cpu", _CRI, _FILES)),
        ),
        statement="Statistics over the CRI take less CPU time than cAdvisor's way",
        tests=(less("cpu", _CRI, _FILES),),
        repeat="run kubelet-stats -p pods=10",
    ),
)  # fmt: skip
