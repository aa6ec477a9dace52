"""What etcd answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_least
from cnbench.analysis.answers.figures import over_other, shown, value

_SERVER = "kubernetes-1.20"
_STORES = {"on disk": {"store": "disk"}, "without fsync": {"store": "unsynced"}}
_FSYNC = over_other("fsync", "on disk", "handling", "on disk", called="fsync's share")
_MOST = 0.5

ANSWERS = (
    Answer(
        experiment="etcd",
        question="How much of a put of 1 KiB is etcd's waiting for fsync?",
        cases=Cases(_STORES, server=_SERVER, call="put", size=1024, keys=1000),
        shows=(
            value("handling"), value("fsync", "on disk", named="fsync"), shown(_FSYNC),
        ),
        statement="Most of what etcd needs for a put is waiting for fsync",
        tests=(at_least(_FSYNC, _MOST, "on disk"),),
        repeat=f"run etcd -p server={_SERVER} -p call=put",
    ),
)  # fmt: skip
