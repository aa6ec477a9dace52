"""A node's pods, one of whose containers dies in every sample."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

from cnbench.containers.bundle import Wanted
from cnbench.containers.containerd import open_containerd
from cnbench.containers.cri import RUNNING, open_cri
from cnbench.containers.enclave import open_enclave
from cnbench.containers.grpc_client import EXIT
from cnbench.containers.pods import Pods
from cnbench.containers.runtimes import Started, open_files
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.container_start.grid import CRI
from cnbench.experiments.container_start.subject import require_runtime
from cnbench.experiments.pleg.grid import EVENTED, PERIOD
from cnbench.experiments.pleg.relist import Seen, look_closer, moments, relist
from cnbench.lab.host import Lab

_KILLED = 137
_LOOKS = 5
# Seconds until an event that must come.
_PATIENCE = 10.0


@dataclass
class Node:
    """Pods that run, of which one loses its container and is given another."""

    pods: Pods
    living: list[Started]

    def replace(self, dead: Started) -> None:
        """Give a pod another container, as the kubelet restarts one; raises CnbenchError."""
        self.pods.cri.call("RemoveContainer", container_id=dead.name)
        self.living.remove(dead)
        self.living.append(self.pods.restart(dead))


@dataclass
class Watching:
    """A container dies a sample, and its death is learned.

    Attributes:
        node: where.
        evented: whether by an event, or by the next look.
        moments: how long after a look the next is killed, in s.
        counts: sandboxes, containers and those that run, as each first look had them.
        codes: the exit codes that deaths were told with.
    """

    lab: Lab
    node: Node
    evented: bool
    moments: Iterator[float] = field(default_factory=moments)
    counts: set[tuple[int, int, int]] = field(default_factory=set)
    codes: set[int] = field(default_factory=set)

    def sample(self) -> Mapping[str, float]:
        """The cost of looking, and the time until a death is known."""
        cri, units = self.node.pods.cri, self.lab.clock.units
        before = self._cpu_time()
        seen = [relist(cri) for _ in range(_LOOKS)]
        cpu = (self._cpu_time() - before) / _LOOKS
        last = seen[-1]
        self.counts.add((last.sandboxes, len(last.containers), last.running))
        dying = self.node.living[0]
        age, change = self._by_event(dying) if self.evented else self._by_looking(dying, last)
        self.node.replace(dying)
        return {
            "relist": units(median(look.took for look in seen)),
            "change": units(change),
            "age": units(age),
            "cpu": units(cpu),
        }

    def _by_event(self, dying: Started) -> tuple[int, int]:
        """Kill a container: ns until an event tells it, and those of a look that has it."""
        cri = self.node.pods.cri
        killed = self._kill(dying)
        told = cri.client.told(EXIT, dying.name, _PATIENCE)
        self.codes.add(told.said.get("exit_status", 0))
        while (seen := relist(cri)).containers[dying.name] == RUNNING:
            time.sleep(0.001)  # containerd tells others as soon as its own part for the CRI
        return told.ended - killed, self._closer(dying) - seen.began

    def _by_looking(self, dying: Started, last: Seen) -> tuple[int, int]:
        """Kill a container some time after the ``last`` look: ns until a look has told it."""
        cri = self.node.pods.cri
        self._wait(last.began, next(self.moments))
        killed = self._kill(dying)
        while last.containers[dying.name] == RUNNING:
            self._wait(last.began, PERIOD)
            last = relist(cri)
        ended = self._closer(dying)
        return ended - killed, ended - last.began

    def _closer(self, dying: Started) -> int:
        code, ended = look_closer(self.node.pods.cri, dying.within, dying.name)
        self.codes.add(code)
        return ended

    def _kill(self, dying: Started) -> int:
        return int(self.node.pods.cri.daemon.enclave.do("kill", dying.pid))

    def _wait(self, since: int, seconds: float) -> None:
        """Sleep until so many seconds have gone by ``since``."""
        time.sleep(max(0.0, seconds - (self.lab.clock.ticks() - since) / 1e9))

    def _cpu_time(self) -> int:
        daemon = self.node.pods.cri.daemon
        return int(daemon.enclave.do("cpu_time_of", daemon.pid))

    def proof(self) -> Proof:
        """All pods were seen running, and each death with the exit code of what killed it."""
        count = len(self.node.living)
        return Proof(
            (
                equal("sandboxes, containers, and those that run", {(count,) * 3}, self.counts),
                equal("exit codes of those that were killed", {_KILLED}, self.codes),
            )
        )


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Watching]:
    """A node with the pods of a point."""
    count = params.whole("pods")
    node = lab.fixture(("node", count), lambda: open_node(lab, count))
    yield Watching(lab, node, params.text("way") == EVENTED)


@contextlib.contextmanager
def open_node(lab: Lab, count: int) -> Iterator[Node]:
    """A node on which so many pods run, whose client listens to events; raises CnbenchError."""
    with (
        open_enclave(lab) as enclave,
        open_files(enclave) as files,
        open_containerd(enclave) as daemon,
        open_cri(daemon) as cri,
    ):
        pods = Pods(files, Wanted(), cri)
        living = [pods.start() for _ in range(count)]
        for started in living:
            enclave.first_instruction(started.pid)
        cri.client.subscribe()
        yield Node(pods, living)


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where the runtime, or what it needs, is not there."""
    require_runtime(CRI, lab)
