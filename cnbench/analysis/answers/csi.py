"""What csi answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_most
from cnbench.analysis.answers.figures import over_other, shown, value

_ANEW = "as the kubelet asks"
_MOUNT = over_other("mount", _ANEW, "publish", _ANEW, called="the mount's share")
_HALF = 0.5

ANSWERS = (
    Answer(
        experiment="csi",
        question="What does having a volume mounted by a CSI driver take?",
        cases=Cases(
            {_ANEW: {"connections": "anew"}, "over one connection": {"connections": "kept"}},
            volumes=0,
        ),
        shows=(value("publish"), value("mount", named="the mount"), shown(_MOUNT)),
        statement="Most of what a small volume's mount takes is the way to the driver and back",
        tests=(at_most(_MOUNT, _HALF, _ANEW),),
        repeat="run csi -p volumes=0",
    ),
)  # fmt: skip
