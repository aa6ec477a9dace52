"""Looking at all pods of a node, as the kubelet's generic generator does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cnbench.containers.cri import RUNNING, Cri
from cnbench.experiments.pleg.grid import PERIOD

# The fraction of the golden ratio: its multiples are spread evenly over a period, however many.
_GOLDEN = 0.6180339887


@dataclass(frozen=True)
class Seen:
    """What one look saw.

    Attributes:
        containers: the state of each container by its number.
        sandboxes: how many there were.
        began: when the first call was made, in ns.
        ended: when the last was answered.
    """

    containers: Mapping[str, int]
    sandboxes: int
    began: int
    ended: int

    @property
    def took(self) -> int:
        """Nanoseconds of the whole look."""
        return self.ended - self.began

    @property
    def running(self) -> int:
        """How many containers run."""
        return sum(state == RUNNING for state in self.containers.values())


def moments() -> Iterator[float]:
    """Seconds after a look at which to do something: as many early in its period as late."""
    return (number * _GOLDEN % 1.0 * PERIOD for number in itertools.count(1))


def relist(cri: Cri) -> Seen:
    """List all sandboxes and all containers, whatever their state."""
    sandboxes = cri.call("ListPodSandbox")
    containers = cri.call("ListContainers")
    states = {
        container["id"]: container.get("state", 0)
        for container in containers.said.get("containers", [])
    }
    count = len(sandboxes.said.get("items", []))
    return Seen(states, count, sandboxes.began, containers.ended)


def look_closer(cri: Cri, sandbox: str, container: str) -> tuple[int, int]:
    """Ask for the status of a pod that changed and of its container: the exit code, and when (ns).

    Only then does the kubelet's generator tell others.
    """
    cri.call("PodSandboxStatus", pod_sandbox_id=sandbox)
    told = cri.call("ContainerStatus", container_id=container)
    return told.said["status"].get("exit_code", 0), told.ended
