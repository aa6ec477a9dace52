"""A kubelet that is left alone for some relists, and then given a pod, a sample."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import sub
from statistics import median

from cnbench.containers.cri import READY
from cnbench.control_plane.binaries import binaries_of
from cnbench.control_plane.servers.kubelet import KUBELET
from cnbench.control_plane.servers.plane import require_plane
from cnbench.core.errors import CnbenchError
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof, equal, true
from cnbench.experiments.container_start.grid import CRI
from cnbench.experiments.container_start.subject import require_runtime
from cnbench.experiments.pleg.relist import moments, relist
from cnbench.experiments.syncloop.grid import EXEC
from cnbench.experiments.syncloop.node import Counted, Node, Pod, open_node
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until

_PROGRAMS = ("etcd", "kube-apiserver", KUBELET)
# Counted of the kubelet in which nothing is asked of it, and ours meanwhile.
_IDLE, _LOOKS = 2, 5
_PATIENCE = 60.0
_KUBEPODS = "kubepods"
# A probe is done a second after the last one was begun, if that has ended by then.
_SELDOM, _OFTEN = 0.5, 1.5


@dataclass
class Syncing:
    """Pods are made and deleted a sample.

    Attributes:
        at_once: how many.
        counts: pods that run as the kubelet counts them; sandboxes, containers and those that run
            as we do.
        moments: how long it waits before it makes the next pod, in s: relists go on meanwhile.
        groups: whether each container was in a group of the kubelet's below the run's, everywhere.
        programs: whether each began between the request for it and the word that it runs.
        unasked: relists of the kubelet's for which the runtime was not asked.
        probes: how often each pod was probed a second.
    """

    lab: Lab
    node: Node
    at_once: int = 1
    counts: set[tuple[int, ...]] = field(default_factory=set)
    moments: Iterator[float] = field(default_factory=moments)
    groups: set[bool] = field(default_factory=set)
    programs: set[bool] = field(default_factory=set)
    unasked: float = 0.0
    probes: list[float] = field(default_factory=list)

    def sample(self) -> Mapping[str, float]:
        """What an idle kubelet takes, and then the way of some pods."""
        idle = self._idle()
        time.sleep(next(self.moments))
        pods = self.node.start(self.at_once)
        firsts = [self.node.cri.daemon.enclave.first_instruction(pod.pid) for pod in pods]
        for pod, first in zip(pods, firsts, strict=True):
            self._look(pod, first)
        stop = self._stop(pods)
        units = self.lab.clock.units
        began = [pod.began for pod in pods]
        told = [pod.told for pod in pods]
        values = idle | {
            "running": units(median(map(sub, told, began))),
            "start": units(median(map(sub, firsts, began))),
            "stop": units(stop),
            "memory": float(self.node.kubelet.daemon.memory()),
            "ready": units(self.node.ready),
        }
        return values | ({"last": units(max(told) - min(began))} if self.at_once > 1 else {})

    def _idle(self) -> dict[str, float]:
        """Leave the kubelet alone for some relists."""
        kubelet, units = self.node.kubelet.daemon, self.lab.clock.units
        before, began, cpu = self.node.counted(), self.lab.clock.ticks(), kubelet.cpu_time()
        looks = [relist(self.node.cri) for _ in range(_LOOKS)]
        since = self._await_relists(before)
        took = self.lab.clock.ticks() - began
        # What went on at the first look had asked before it.
        self.unasked += max(0.0, since.count - 1 - since.asked)
        last = looks[-1]
        seen = (last.sandboxes, len(last.containers), last.running)
        self.counts.add((self.node.running(), *seen))
        probes = {"probe": since.probing / since.probes} if since.probes else {}
        self.probes.append(since.probes / len(self.node.pods) / units(took))
        return probes | {
            "relist": since.took / since.count,
            "period": since.intervals / since.count,
            "ours": units(median(look.took for look in looks)),
            "cpu": (kubelet.cpu_time() - cpu) / took,
        }

    def _await_relists(self, before: Counted) -> Counted:
        """What the kubelet has counted since, once that are enough relists; raises CnbenchError."""
        since = [self.node.counted() - before]

        def enough() -> bool:
            since[0] = self.node.counted() - before
            return since[0].count >= _IDLE

        # Asking is work for it as well: not more often than must be.
        wait_until(
            enough, "the kubelet does not relist", within=_PATIENCE, every=0.5,
            meanwhile=self.node.kubelet.daemon.memory,
        )  # fmt: skip
        return since[0]

    def _look(self, pod: Pod, first: int) -> None:
        """Note what the kernel says of the container."""
        enclave = self.node.cri.daemon.enclave
        said = enclave.do("look", pod.pid)
        below = f":{enclave.group}/{_KUBEPODS}/"
        inside = sum(below in line and line.endswith(pod.container) for line in said["groups"])
        self.groups.add(inside >= len(enclave.groups))
        self.programs.add(pod.began < first < pod.told)

    def _stop(self, pods: Sequence[Pod]) -> int:
        """Delete pods: ns until their containers' processes have ended; nothing is kept then.

        Their sandboxes would wait for the kubelet's collection, which comes once a minute.
        """
        cri = self.node.cri
        asked = min([self.node.delete(pod) for pod in pods])
        processes = [pod.pid for pod in pods]
        wait_until(
            lambda: not cri.daemon.enclave.do("processes_of", processes),
            "a deleted pod's container runs", within=_PATIENCE, every=0.002,
        )  # fmt: skip
        took = self.lab.clock.ticks() - asked
        wait_until(self._stopped, "a deleted pod's sandbox is ready", within=_PATIENCE, every=0.02)
        for sandbox in self._dead():
            with contextlib.suppress(CnbenchError):  # the kubelet came first
                cri.call("RemovePodSandbox", pod_sandbox_id=sandbox)
        wait_until(lambda: not self._dead(), "a removed sandbox is listed", within=_PATIENCE)
        return took

    def _stopped(self) -> bool:
        return len(self._sandboxes()) - len(self._dead()) == len(self.node.pods)

    def _dead(self) -> list[str]:
        return [name for name, state in self._sandboxes().items() if state != READY]

    def _sandboxes(self) -> Mapping[str, int]:
        """The state of each sandbox by its number."""
        listed = self.node.cri.call("ListPodSandbox").said.get("items", [])
        return {sandbox["id"]: sandbox.get("state", 0) for sandbox in listed}

    def proof(self) -> Proof:
        """The kubelet ran the pods, below the run's groups, and asked the runtime about them."""
        count = len(self.node.pods)
        return Proof(
            (
                equal(
                    "pods by the kubelet; sandboxes, containers, and those that run",
                    {(count,) * 4}, self.counts,
                ),
                equal("in a group of the kubelet's in every hierarchy", {True}, self.groups),
                equal("its program began between request and word", {True}, self.programs),
                true(
                    "each relist asked the runtime for its sandboxes",
                    f"{self.unasked:.0f} did not", not self.unasked,
                ),
                true(
                    "each pod was probed once a second" if self.node.probed else "none was probed",
                    f"{min(self.probes):.2f} to {max(self.probes):.2f} times a second",
                    self._probed_as_asked(),
                ),
            )
        )  # fmt: skip

    def _probed_as_asked(self) -> bool:
        if not self.node.probed:
            return not any(self.probes)
        return all(_SELDOM < one < _OFTEN for one in self.probes)


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Syncing]:
    """A node with the pods of a point."""
    server, count, probed = params.text("server"), params.whole("pods"), params["probe"] == EXEC
    node = lab.fixture(
        ("node", server, count, probed), lambda: open_node(lab, server, count, probed=probed)
    )
    yield Syncing(lab, node, params.whole("at_once"))


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where the servers, the runtime, or what they need are not there."""
    require_plane(lab)
    require_runtime(CRI, lab)
    binaries = binaries_of(params.text("server"))
    for program in _PROGRAMS:
        binaries.path(program)
