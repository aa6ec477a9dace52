"""container-gc: what does it cost to tidy up after containers that are dead, and unused images?

By the calls that the kubelet's garbage collection makes over the CRI (pkg/kubelet/kuberuntime/
kuberuntime_gc.go and pkg/kubelet/images/image_gc_manager.go): each dead container is removed, then
each pod's sandbox stopped and removed, and then an image that nobody uses. All metrics are for one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import mean

from cnbench.containers import image
from cnbench.containers.bundle import Wanted
from cnbench.containers.containerd import open_containerd
from cnbench.containers.cri import open_cri
from cnbench.containers.enclave import open_enclave
from cnbench.containers.grpc_client import EXIT
from cnbench.containers.pods import Pods
from cnbench.containers.runtimes import Started, open_files
from cnbench.core.experiment import Experiment, never_soon_counted
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.container_start.grid import CRI
from cnbench.experiments.container_start.subject import require_runtime
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until

# The layers of the image that nobody uses: another than that of the pods.
_UNUSED = 2
_PATIENCE = 10.0


@dataclass
class Collecting:
    """Pods whose containers died, and an image, are removed a sample.

    Attributes:
        dead: how many pods of one container.
        seen: containers, sandboxes and unused images, before and after, of each sample.
    """

    lab: Lab
    pods: Pods
    dead: int
    seen: set[tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=set)

    def sample(self) -> Mapping[str, float]:
        """The time that removing one of each takes."""
        cri = self.pods.cri
        died = [self._died() for _ in range(self.dead)]
        with cri.daemon.image_of(_UNUSED):
            wait_until(self._has_image, "the image is not there", within=_PATIENCE)
        before = self._there()
        containers = [cri.call("RemoveContainer", container_id=one.name).took for one in died]
        sandboxes = [
            sum(
                cri.call(f"{name}PodSandbox", pod_sandbox_id=one.within).took
                for name in ("Stop", "Remove")
            )
            for one in died
        ]
        removed = cri.call("RemoveImage", image={"image": image.name(_UNUSED)})
        self.seen.add((before, self._there()))
        units = self.lab.clock.units
        return {
            "container": units(mean(containers)),
            "sandbox": units(mean(sandboxes)),
            "image": units(removed.took),
        }

    def _died(self) -> Started:
        """A pod whose container's process was killed, once containerd knows of it."""
        cri = self.pods.cri
        started = self.pods.start()
        cri.daemon.enclave.first_instruction(started.pid)
        cri.daemon.enclave.do("kill", started.pid)
        cri.client.told(EXIT, started.name, _PATIENCE)
        wait_until(
            lambda: self.pods.state(started) != "running", "a dead container runs", within=_PATIENCE
        )
        return started

    def _has_image(self) -> bool:
        listed = self.pods.cri.call("ListImages").said.get("images", [])
        return any(image.name(_UNUSED) in one.get("repo_tags", []) for one in listed)

    def _there(self) -> tuple[int, int, int]:
        cri = self.pods.cri
        containers = cri.call("ListContainers").said.get("containers", [])
        sandboxes = cri.call("ListPodSandbox").said.get("items", [])
        return len(containers), len(sandboxes), self._has_image()

    def proof(self) -> Proof:
        """All of it was there, and then nothing."""
        return Proof(
            (
                equal(
                    "containers, sandboxes and images before and after",
                    {((self.dead, self.dead, 1), (0, 0, 0))},
                    self.seen,
                ),
            )
        )


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Collecting]:
    """A node without pods."""
    with (
        open_enclave(lab) as enclave,
        open_files(enclave) as files,
        open_containerd(enclave) as daemon,
        open_cri(daemon) as cri,
    ):
        cri.client.subscribe()
        yield Collecting(lab, Pods(files, Wanted(), cri), params.whole("dead"))


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where the runtime, or what it needs, is not there."""
    require_runtime(CRI, lab)


EXPERIMENT = Experiment(
    name="container-gc",
    question="What does it cost to tidy up after dead containers and unused images?",
    parameters=(
        Parameter(
            "dead", "pods whose containers are dead", quick=(5,), full=(1, 10, 50), whole=True,
            minimum=1, maximum=200,
        ),
    ),
    metrics=(
        Metric("container", "s", "lower", "ratio", "time of removing a dead container"),
        Metric("sandbox", "s", "lower", "ratio", "time of stopping and removing its pod's sandbox"),
        Metric("image", "s", "lower", "ratio", "time of removing an image that nobody uses"),
    ),
    variant="dead",
    subject=open_subject,
    require=require,
    soon=never_soon_counted,
    tools=("busybox", "runc", "containerd"),
    share=0.5,
)  # fmt: skip
