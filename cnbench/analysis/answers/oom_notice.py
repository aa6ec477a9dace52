"""What oom-notice answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_most
from cnbench.analysis.answers.figures import of, shown, value

_WAYS = {
    "its cgroup": {"way": "cgroup"}, "the kernel's log": {"way": "kernel-log"},
    "containerd": {"way": "containerd"},
}  # fmt: skip
_SOON = 0.1

ANSWERS = (
    Answer(
        experiment="oom-notice",
        question="From the page that got a process killed until somebody knows",
        cases=Cases(_WAYS, controller="v1", burst=1),
        shows=(value("notice"), shown(of("lost", "containerd"))),
        statement="containerd tells of a kill for want of memory within a tenth of a second",
        tests=(at_most(of("notice", "containerd"), _SOON, "containerd"),),
        repeat="run oom-notice -p controller=v1 -p burst=1",
        rank=1,
    ),
)
