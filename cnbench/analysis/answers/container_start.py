"""What container-start answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_least, less
from cnbench.analysis.answers.figures import difference, ratio, shown, value
from cnbench.core.parameter import Value

_LAYERS = {
    "kernel calls": {"runtime": "bare"}, "crun": {"runtime": "crun"}, "runc": {"runtime": "runc"},
    "containerd": {"runtime": "containerd-api"}, "ctr run": {"runtime": "containerd"},
    "a pod": {"runtime": "cri"},
    "dockerd": {"runtime": "dockerd"}, "docker run": {"runtime": "docker-run"},
}  # fmt: skip
_ORDINARY: dict[str, Value] = {
    "network": "host", "seccomp": "off", "user": "off", "mounts": 0, "alive": 0,
    "parallel": 1, "snapshotter": "usual", "layers": 1,
}  # fmt: skip
_MOST_OF_IT = 10.0
_COMMAND = "run container-start"

ANSWERS = (
    Answer(
        experiment="container-start",
        question="From the call to a container's first instruction, layer by layer",
        cases=Cases(_LAYERS, **_ORDINARY),
        shows=(
            value("start"),
            shown(
                difference("start", "runc", "kernel calls"),
                difference("start", "containerd", "runc"),
                difference("start", "ctr run", "containerd"),
                difference("start", "a pod", "containerd"),
                difference("start", "dockerd", "containerd"),
                difference("start", "docker run", "dockerd"),
            ),
        ),
        statement="Of what runc takes to start a container, the kernel has less than a tenth",
        tests=(
            at_least(
                ratio("start", "runc", "kernel calls"), _MOST_OF_IT, "runc", "kernel calls"
            ),
        ),
        repeat=f"{_COMMAND} -p network=host",
        rank=1,
    ),
    Answer(
        experiment="container-start",
        question="crun or runc?",
        cases=Cases({"crun": {"runtime": "crun"}, "runc": {"runtime": "runc"}}, **_ORDINARY),
        shows=(
            value("start"),
            value("stop", named="stop, {}"),
            shown(ratio("start", "crun", "runc")),
        ),
        statement="crun starts a container in less than half of runc's time",
        tests=(less("start", "crun", "runc", by=0.5),),
        repeat=f"{_COMMAND} -p runtime=runc,crun",
    ),
)  # fmt: skip
