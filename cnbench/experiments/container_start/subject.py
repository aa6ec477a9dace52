"""A runtime that is asked for one container after another."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import mean
from typing import Any

from cnbench.containers import grpc_client
from cnbench.containers.containerd import SHIM, Containerd, open_containerd
from cnbench.containers.containerd_api import ContainerdApi
from cnbench.containers.cri import Cri, open_cri
from cnbench.containers.docker_runtimes import DockerApi, DockerRun
from cnbench.containers.dockerd import Dockerd, open_dockerd
from cnbench.containers.enclave import Enclave, open_enclave
from cnbench.containers.grpc_client import GrpcClient, open_grpc_client
from cnbench.containers.pods import Pods
from cnbench.containers.runtimes import (
    Bare,
    Ctr,
    Files,
    Oci,
    Runtime,
    Started,
    Together,
    open_files,
)
from cnbench.containers.system_calls import system_calls
from cnbench.core.errors import UnsupportedError
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof
from cnbench.experiments.container_start.grid import (
    BARE,
    CONTAINERD,
    CONTAINERD_API,
    CRI,
    DOCKER_RUN,
    DOCKERD,
    OCI,
    OF_DOCKER,
    OVERLAYFS,
    overlaid,
    wanted_by,
)
from cnbench.experiments.container_start.proof import Evidence
from cnbench.lab import commands
from cnbench.lab.host import Lab

_OF_CONTAINERD = ("busybox", "containerd", "ctr", "runc")
_OF_DOCKERD = (*_OF_CONTAINERD, "dockerd", "docker")
_TOOLS = {
    BARE: ("busybox",), "runc": ("busybox", "runc"), "crun": ("busybox", "crun"),
    CONTAINERD: _OF_CONTAINERD, CONTAINERD_API: _OF_CONTAINERD, CRI: _OF_CONTAINERD,
    DOCKERD: _OF_DOCKERD, DOCKER_RUN: _OF_DOCKERD,
}  # fmt: skip


@dataclass
class Starting:
    """Containers are started, all at once, and stopped a sample.

    Attributes:
        kept: what the runtime keeps for one container, in bytes, and the system calls for one
            where they can be counted.
        parallel: how many containers.
        asked: whether the runtime was asked for a container's state.
    """

    lab: Lab
    enclave: Enclave
    runtime: Runtime
    evidence: Evidence
    kept: Mapping[str, float]
    parallel: int = field(default=1)
    asked: bool = field(default=False)

    def sample(self) -> Mapping[str, float]:
        """The time to one's first instruction, that of each call, and that to its end."""
        number = self.enclave.last_number()
        ticks, (everyone, first) = self.lab.clock.timed(self._until_they_run)
        tasks = self.enclave.begun_since(number) / len(everyone)
        for started, began in zip(everyone, first, strict=True):
            self._look(started, began)
        stopping, stop = self.lab.clock.timed(lambda: list(map(self.runtime.stop, everyone)))
        for started in everyone:
            self._look_back(started)
        units = self.lab.clock.units
        if self.lab.clock.name == "wall":
            took = [began - started.began for started, began in zip(everyone, first, strict=True)]
            values = {"start": units(mean(took)), "stop": units(mean(stop))}
            for step in everyone[0].steps:
                values[step] = units(mean(started.steps[step] for started in everyone))
        else:  # between those times there is waiting: the kernel's own too, for a group's lock
            values = {"start": units(ticks), "stop": units(stopping)}
        return values | {"tasks": tasks} | dict(self.kept)

    def _until_they_run(self) -> tuple[list[Started], list[int]]:
        """Start containers: when the program of each began."""
        everyone = self._start()
        return everyone, [self.enclave.first_instruction(started.pid) for started in everyone]

    def _start(self) -> list[Started]:
        if self.parallel > 1 and isinstance(self.runtime, Together):
            return self.runtime.start_together(self.parallel)
        return [self.runtime.start()]

    def _look(self, started: Started, first: int) -> None:
        said = self.enclave.do("look", started.pid)
        self.evidence.see(said, started.name, len(self.enclave.groups))
        self.evidence.early += not started.began < first < self.lab.clock.ticks()
        if not self.asked:  # which takes some runtimes as long as a start
            self.evidence.states.add(self.runtime.state(started))
            self.asked = True

    def _look_back(self, started: Started) -> None:
        groups = [group for group in self.enclave.groups_of(started.name) if group.exists()]
        self.evidence.left += map(str, groups)
        self.evidence.left += self.enclave.do("processes_of", [started.pid])

    def proof(self) -> Proof:
        """What was seen of the containers."""
        return self.evidence.proof()


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Starting]:
    """The runtime of a point, with as many containers of its own alive as it asks for."""
    enclave = lab.fixture("enclave", lambda: open_enclave(lab))
    files = lab.fixture("files", lambda: open_files(enclave))
    runtime = _runtime(params, lab, enclave, files)
    spaces: Mapping[str, Any] = enclave.do("look", 1)["namespaces"]
    with _alive(runtime, enclave, params.whole("alive")) as memory:
        evidence = Evidence(wanted_by(params), runtime.namespaces, spaces, overlaid(params))
        kept = {"memory": memory}
        if (calls := system_calls(runtime)) is not None:
            kept["calls"] = calls
        yield Starting(lab, enclave, runtime, evidence, kept, params.whole("parallel"))


def _runtime(params: Point, lab: Lab, enclave: Enclave, files: Files) -> Runtime:
    name, wanted = params.text("runtime"), wanted_by(params)
    if name == BARE:
        return Bare(files, wanted, enclave)
    if name in OCI:
        return Oci(files, wanted, enclave, name)
    if name in OF_DOCKER:
        docker: Dockerd = lab.fixture("dockerd", lambda: open_dockerd(enclave))
        lab.fixture(("dockerd", wanted.layers), lambda: docker.image_of(wanted.layers))
        return (DockerApi if name == DOCKERD else DockerRun)(files, wanted, docker)
    daemon: Containerd = lab.fixture("containerd", lambda: open_containerd(enclave))
    if name == CONTAINERD:
        return Ctr(files, wanted, daemon)
    laid_out = (wanted.layers, wanted.snapshotter or OVERLAYFS)
    lab.fixture(("containerd", laid_out), lambda: daemon.image_of(*laid_out))
    if name == CONTAINERD_API:
        client: GrpcClient = lab.fixture("services", lambda: open_grpc_client(daemon))
        return ContainerdApi(files, wanted, client)
    cri: Cri = lab.fixture("cri", lambda: open_cri(daemon))
    return Pods(files, wanted, cri)


@contextlib.contextmanager
def _alive(runtime: Runtime, enclave: Enclave, count: int) -> Iterator[float]:
    """Have ``count`` containers run; the memory of the processes that their runtime keeps for one.

    With none, one is started for that, and stopped.
    """
    before = enclave.do("memory_of", [SHIM])["bytes"]
    living = [runtime.start() for _ in range(max(count, 1))]
    memory = (enclave.do("memory_of", [SHIM])["bytes"] - before) / len(living)
    if not count:
        runtime.stop(living.pop())
    yield float(memory)
    for started in living:
        runtime.stop(started)


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where the runtime, or what it needs, is not there."""
    require_runtime(params.text("runtime"), lab)
    if lab.clock.name != "wall" and params.whole("parallel") > 1:
        raise UnsupportedError(
            "what is counted is all that is executed, by whom so ever",
            "start one at a time, or measure on the wall clock: --clock wall",
        )


def require_runtime(runtime: str, lab: Lab) -> None:
    """Raise UnsupportedError where ``runtime``, or what it needs, is not there."""
    lab.require_namespaces()
    if lab.clock.name != "wall" and runtime not in (BARE, *OCI):
        raise UnsupportedError(
            "daemons work beside what is timed, which a count of instructions cannot tell apart",
            "measure it on the wall clock: --clock wall",
        )
    for tool in _TOOLS[runtime]:
        commands.require(tool)
    if runtime in (CONTAINERD_API, CRI):
        grpc_client.require()
