"""What cpu-quota answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import all_within, within
from cnbench.analysis.answers.figures import difference, shown, value

# From 19 to 21 %: the kernel's own test asks for 10 % (tools/testing/selftests/cgroup/test_cpu.c).
_HELD = 0.05
_VERSIONS = {"v1": {"controller": "v1"}, "v2": {"controller": "v2"}}

ANSWERS = (
    Answer(
        experiment="cpu-quota",
        question="How far off 20 % is a busy loop with a quota of 20,000 in 100,000?",
        cases=Cases(_VERSIONS, quota=0.2, period=0.1, threads=1),
        shows=(value("error"),),
        statement="A quota of 20,000 in 100,000 holds a busy loop at 20 %",
        tests=(all_within("error", -_HELD, _HELD),),
        repeat="run cpu-quota -p quota=20% -p period=100ms",
        rank=1,
    ),
    Answer(
        experiment="cpu-quota",
        question="cgroup v1 or v2: which holds a quota of 20 % in 10 ms better?",
        cases=Cases(_VERSIONS, quota=0.2, period=0.01, threads=1),
        shows=(value("error"), shown(difference("error", "v2", "v1"))),
        statement="cgroup v1 and v2 hold a CPU quota alike",
        tests=(within(difference("error", "v2", "v1"), -_HELD, _HELD, needs=("v2", "v1")),),
        repeat="run cpu-quota -p controller=v1,v2 -p quota=20% -p period=10ms",
        rank=2,
    ),
)
