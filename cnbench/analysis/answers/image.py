"""What image answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import less
from cnbench.analysis.answers.figures import ratio, shown, value

_MOUNTS, _COPIES = "mounts", "copies"

ANSWERS = (
    Answer(
        experiment="image",
        question="What does unpacking an image of 16 layers take?",
        cases=Cases(
            {_MOUNTS: {"snapshotter": "overlayfs"}, _COPIES: {"snapshotter": "native"}}, layers=16
        ),
        shows=(
            value("unpack"), value("space", named="space"),
            shown(ratio("unpack", _COPIES, _MOUNTS)),
        ),
        statement="16 layers are laid out sooner by mounts than by copies",
        tests=(less("unpack", _MOUNTS, _COPIES),),
        repeat="run image -p layers=16",
    ),
)  # fmt: skip
