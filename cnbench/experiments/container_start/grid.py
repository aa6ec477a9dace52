"""What is asked of runtimes, and which questions make no sense."""

from __future__ import annotations

from cnbench.containers.bundle import Wanted
from cnbench.containers.image import MOST_LAYERS, MOST_MOUNTS
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point

BARE, CONTAINERD, CONTAINERD_API, CRI = "bare", "containerd", "containerd-api", "cri"
OCI = ("runc", "crun")
DOCKERD, DOCKER_RUN = "dockerd", "docker-run"
RUNTIMES = (BARE, *OCI, CONTAINERD, CONTAINERD_API, CRI, DOCKERD, DOCKER_RUN)
# Those that are asked for an image, and of these the ones whose overlayfs has a layer of their own
# on top of the image's (Docker: what every container's files are changed in before it starts).
OF_IMAGES = (CONTAINERD_API, CRI, DOCKERD, DOCKER_RUN)
OF_DOCKER = (DOCKERD, DOCKER_RUN)
# Those that can be asked for several containers at once.
TOGETHER = (*OCI, CONTAINERD, CONTAINERD_API, CRI, DOCKER_RUN)
USUAL, OVERLAYFS, NATIVE = "usual", "overlayfs", "native"
_SWITCH = ("off", "on")
_NETWORKS = ("host", "none", "bridge")

PARAMETERS = (
    Parameter(
        "runtime", "who starts it: bare is the kernel calls alone, containerd is its ctr, dockerd "
        "its API", quick=RUNTIMES, full=RUNTIMES, choices=RUNTIMES,
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
    Parameter(
        "parallel", "containers that are started at once", quick=(1,), full=(1, 4, 16), whole=True,
        minimum=1, maximum=64,
    ),
    Parameter(
        "snapshotter", "what lays the image's files out; usual is the runtime's own way, which for "
        "containerd-api is the bundle's files", quick=(USUAL,), full=(USUAL, OVERLAYFS, NATIVE),
        choices=(USUAL, OVERLAYFS, NATIVE),
    ),
    Parameter(
        "layers", "of the image", quick=(1,), full=(1, 16, 64), whole=True, minimum=1,
        maximum=MOST_LAYERS,
    ),
)  # fmt: skip

METRICS = (
    Metric("start", "s", "lower", "ratio", "time from the call to the container's own program"),
    Metric("stop", "s", "lower", "ratio", "time from the call until nothing is left of it"),
    Metric("sandbox", "s", "lower", "ratio", "time of the call that makes a pod's sandbox"),
    Metric("create", "s", "lower", "ratio", "time of the call that creates the container"),
    Metric("launch", "s", "lower", "ratio", "time of the call that starts the container"),
    Metric("tasks", "", "lower", "ratio", "processes and threads that were begun for it"),
    Metric("calls", "", "lower", "ratio", "system calls for one, by strace"),
    Metric("memory", "B", "lower", "additive", "memory of the runtime's own processes for one"),
)


def wanted_by(params: Point) -> Wanted:
    """What a container of that point is to have."""
    return Wanted(
        params.whole("mounts"),
        params.text("seccomp") == "on",
        params.text("user") == "on",
        params.text("network"),
        params.whole("layers"),
        "" if params.text("snapshotter") == USUAL else params.text("snapshotter"),
    )


def overlaid(params: Point) -> int | None:
    """How many layers the overlayfs at a container's root lies on; 0 for no overlayfs.

    None where the root is the bundle's folder, whatever that is on.
    """
    wanted, runtime = wanted_by(params), params.text("runtime")
    if runtime not in OF_IMAGES or (runtime == CONTAINERD_API and not wanted.snapshotter):
        return None
    return 0 if wanted.snapshotter == NATIVE else wanted.layers + (runtime in OF_DOCKER)


def nonsense(params: Point) -> str:
    """Why a point of the grid makes no sense, or the empty text."""
    wanted, runtime = wanted_by(params), params.text("runtime")
    alive = params.whole("alive")
    usual = Wanted()
    changed = (wanted.mounts > 0) + wanted.seccomp + wanted.user + (alive > 0)
    changed += wanted.layers > 1 or wanted.snapshotter != ""
    changed += params.whole("parallel") > 1
    reasons = {
        "what a container has besides is looked at one by one": changed > 1,
        "a bridge is a pod's, by CNI": wanted.network == "bridge" and runtime != CRI,
        "a pod has a network, or its node's": wanted.network == "none" and runtime == CRI,
        "sysfs in a user namespace needs a network namespace of its own":
            wanted.user and wanted.network == usual.network,
        "the CRI of containerd 1.6 has no user namespaces": wanted.user and runtime == CRI,
        "dockerd has user namespaces for all its containers or for none":
            wanted.user and runtime in OF_DOCKER,
        "calls of the kernel, or of dockerd, are made one after another here":
            params.whole("parallel") > 1 and runtime not in TOGETHER,
        "a snapshotter is chosen over containerd's services":
            wanted.snapshotter != "" and runtime != CONTAINERD_API,
        "only who is given an image meets its layers":
            wanted.layers > 1 and (
                runtime not in OF_IMAGES
                or (runtime == CONTAINERD_API and not wanted.snapshotter)
            ),
        "what a container has besides is looked at with one network":
            wanted.network != usual.network and changed > wanted.user,
    }  # fmt: skip
    return next((reason for reason, so in reasons.items() if so), "")
