"""What is asked of namespaces, and which questions make no sense."""

from __future__ import annotations

from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.lab.namespaces.kinds import KINDS, Kind

NONE, ALL = "none", "all"
_NAMES = (NONE, *(kind.name for kind in KINDS), ALL)
CALLS = ("clone3", "clone", "unshare", "setns", "pidfd")
CONTENTS = ("empty", "veth", "routes", "nft", "iptables")

PARAMETERS = (
    Parameter(
        "kind", "which namespaces; clone has no flag for time, which it leaves out of all",
        quick=_NAMES, full=_NAMES, choices=_NAMES,
    ),
    Parameter(
        "call", "the system call; setns by a namespace's descriptor, or by a process's (pidfd)",
        quick=("clone3", "setns"), full=CALLS, choices=CALLS,
    ),
    Parameter(
        "live", "namespaces of the kind that are there already", quick=(0,), full=(0, 1000),
        whole=True, maximum=10_000,
    ),
    Parameter(
        "mounts", "mounts in the namespace that a new mount namespace copies", quick=(0,),
        full=(0, 1000), whole=True, maximum=10_000,
    ),
    Parameter(
        "parallel", "processes that call at the same moment", quick=(1,), full=(1, 2, 8),
        whole=True, minimum=1, maximum=64,
    ),
    Parameter(
        "processes", "processes that live in them beside the first", quick=(0,), full=(0, 100),
        whole=True, maximum=10_000,
    ),
    Parameter(
        "threads", "threads that the first process has beside its first", quick=(0,),
        full=(0, 100), whole=True, maximum=10_000,
    ),
    Parameter(
        "contents", "what is in a network namespace when it is taken down", quick=("empty",),
        full=CONTENTS, choices=CONTENTS,
    ),
)  # fmt: skip

METRICS = (
    Metric("create", "s", "lower", "ratio", "time of the system call that makes them"),
    Metric("destroy", "s", "lower", "ratio", "time until the kernel has them gone"),
    Metric("enter", "s", "lower", "ratio", "time of the calls that enter them"),
    Metric("first", "s", "lower", "ratio", "time of the first mount, or of the first packet"),
    Metric("memory", "B", "lower", "additive", "the kernel's memory for one that lives"),
)


def kinds_of(params: Point) -> tuple[Kind, ...]:
    """The kinds that a point asks for."""
    name = params.text("kind")
    left_out = "time" if params.text("call") == "clone" else ""
    return tuple(kind for kind in KINDS if name in (kind.name, ALL) and kind.name != left_out)


def nonsense(params: Point) -> str:
    """Why a point of the grid makes no sense, or the empty text."""
    call, kind = params.text("call"), params.text("kind")
    live, mounts, parallel = (params.whole(name) for name in ("live", "mounts", "parallel"))
    filled = params.text("contents") != CONTENTS[0]
    beside = (params.whole("processes") > 0) + (params.whole("threads") > 0)
    grown = (live > 0) + (mounts > 0) + (parallel > 1) + beside + filled
    reasons = {
        "what grows is looked at one by one": grown > 1,
        "there is nothing to enter": kind == NONE and call in ("setns", "pidfd"),
        "there is nothing that could live": kind == NONE and live > 0,
        "who unshares is alone in what is new": beside > 0 and (call == "unshare" or kind == NONE),
        "clone has no flag for time": kind == "time" and call == "clone",
        "mounts are copied by unshare of a mount namespace":
            mounts > 0 and not (call == "unshare" and kind in ("mnt", ALL)),
        "only unshare is called in parallel": parallel > 1 and call != "unshare",
        "contents are those of a network namespace that is taken down":
            filled and not (call in ("clone", "clone3") and kind in ("net", ALL)),
    }  # fmt: skip
    return next((reason for reason, so in reasons.items() if so), "")
