"""What is asked of runtimes, and which questions make no sense."""

from __future__ import annotations

from cnbench.containers.bundle import Wanted
from cnbench.containers.image import MOST_MOUNTS
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point

BARE, CONTAINERD, CRI = "bare", "containerd", "cri"
OCI = ("runc", "crun")
DOCKERD, DOCKER_RUN = "dockerd", "docker-run"
RUNTIMES = (BARE, *OCI, CONTAINERD, CRI, DOCKERD, DOCKER_RUN)
_SWITCH = ("off", "on")
_NETWORKS = ("host", "none", "bridge")

PARAMETERS = (
    Parameter(
        "runtime", "who starts it: bare is the kernel calls alone, dockerd its API", quick=RUNTIMES,
        full=RUNTIMES, choices=RUNTIMES,
    ),
    Parameter(
        "network", "the enclave's own, an empty namespace, or a pod's behind a bridge (CNI)",
        quick=("host",), full=_NETWORKS, choices=_NETWORKS,
    ),
    Parameter(
        "seccomp", "whether its system calls are filtered", quick=("off",), full=_SWITCH,
        choices=_SWITCH,
    ),
    Parameter(
        "user", "whether it has a user namespace of its own", quick=("off",), full=_SWITCH,
        choices=_SWITCH,
    ),
    Parameter(
        "mounts", "bind mounts beyond the usual ones", quick=(0,), full=(0, 64), whole=True,
        maximum=MOST_MOUNTS,
    ),
    Parameter(
        "alive", "containers of the same runtime that run already", quick=(0,), full=(0, 10, 50),
        whole=True, maximum=200,
    ),
)  # fmt: skip

METRICS = (
    Metric("start", "s", "lower", "ratio", "time from the call to the container's own program"),
    Metric("stop", "s", "lower", "ratio", "time from the call until nothing is left of it"),
    Metric("sandbox", "s", "lower", "ratio", "time of the call that makes a pod's sandbox"),
    Metric("create", "s", "lower", "ratio", "time of the call that creates the container"),
    Metric("launch", "s", "lower", "ratio", "time of the call that starts the container"),
    Metric("memory", "B", "lower", "additive", "memory of the runtime's own processes for one"),
)


def wanted_by(params: Point) -> Wanted:
    """What a container of that point is to have."""
    return Wanted(
        params.whole("mounts"),
        params.text("seccomp") == "on",
        params.text("user") == "on",
        params.text("network"),
    )


def nonsense(params: Point) -> str:
    """Why a point of the grid makes no sense, or the empty text."""
    wanted, runtime = wanted_by(params), params.text("runtime")
    alive = params.whole("alive")
    usual = Wanted(network="host")
    changed = (wanted.mounts > 0) + wanted.seccomp + wanted.user + (alive > 0)
    reasons = {
        "what a container has besides is looked at one by one": changed > 1,
        "a bridge is a pod's, by CNI": wanted.network == "bridge" and runtime != CRI,
        "a pod has a network, or its node's": wanted.network == "none" and runtime == CRI,
        "sysfs in a user namespace needs a network namespace of its own":
            wanted.user and wanted.network == usual.network,
        "the CRI of containerd 1.6 has no user namespaces": wanted.user and runtime == CRI,
        "dockerd has user namespaces for all its containers or for none":
            wanted.user and runtime in (DOCKERD, DOCKER_RUN),
        "what a container has besides is looked at with one network":
            wanted.network != usual.network and changed > wanted.user,
    }  # fmt: skip
    return next((reason for reason, so in reasons.items() if so), "")
