"""A node with a real kubelet: its pods, and what it counts of itself."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cnbench.containers import image
from cnbench.containers.containerd import OF_THE_CRI, open_containerd
from cnbench.containers.cri import Cri, open_cri
from cnbench.containers.enclave import open_enclave
from cnbench.control_plane.api.client import Client
from cnbench.control_plane.api.figures import total
from cnbench.control_plane.binaries import binaries_of
from cnbench.control_plane.servers.etcd import MEMORY
from cnbench.control_plane.servers.kubelet import NODE, Kubelet, start_kubelet
from cnbench.control_plane.servers.plane import start_plane
from cnbench.core.errors import CnbenchError
from cnbench.lab.host import Lab

_PODS = "/api/v1/namespaces/default/pods"
_RUNS = b'"phase":"Running"'
_SECONDS = 120
_PROBE = ["/bin/busybox", "true"]
# The least that is graceful, in s.
GRACE = 1


@dataclass(frozen=True)
class Pod:
    """A pod that runs.

    Attributes:
        name: of its object.
        began: when the request that made it was made, in ns.
        told: when the API said that it runs.
        container: what containerd knows its container by.
        pid: the container's process, as the enclave numbers it.
    """

    name: str
    began: int
    told: int
    container: str
    pid: int


@dataclass(frozen=True)
class Counted:
    """What a kubelet has counted so far of its relists, and of its probes.

    Attributes:
        count: relists.
        took: of all of them together, in s.
        intervals: of all periods between two, in s.
        asked: lists of sandboxes that the runtime was asked for, by whatever part of the kubelet.
        probes: programs that it had the runtime run in containers (ExecSync).
        probing: of all of them together, in s.
    """

    count: float
    took: float
    intervals: float
    asked: float
    probes: float
    probing: float

    def __sub__(self, earlier: Counted) -> Counted:
        """What was counted since."""
        return Counted(
            self.count - earlier.count, self.took - earlier.took,
            self.intervals - earlier.intervals, self.asked - earlier.asked,
            self.probes - earlier.probes, self.probing - earlier.probing,
        )  # fmt: skip


@dataclass
class Node:
    """Use ``open_node``.

    Attributes:
        ready: ns from the kubelet's start until its node was ready.
        probed: whether the kubelet runs a program in each container once a second.
        pods: those that run for good.
    """

    kubelet: Kubelet
    cri: Cri
    client: Client
    ready: int
    probed: bool = False
    pods: list[Pod] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def start(self, count: int = 1) -> list[Pod]:
        """Have so many pods made at once, and wait until all run; raises CnbenchError."""
        names = [f"pod-{next(self._numbers)}" for _ in range(count)]
        made = {name: self.client.demand("POST", _PODS, self._pod(name)) for name in names}
        first = made[names[0]].said()["metadata"]["resourceVersion"]
        told = self._await_running(set(names), first)
        return [self._running_pod(name, made[name].began, told[name]) for name in names]

    def _running_pod(self, name: str, began: int, told: int) -> Pod:
        status = self.client.get(f"{_PODS}/{name}")["status"]
        container = status["containerStatuses"][0]["containerID"].rpartition("/")[2]
        return Pod(name, began, told, container, self.cri.daemon.process(container, OF_THE_CRI))

    def delete(self, pod: Pod) -> int:
        """Delete a pod's object: when that was asked for; raises CnbenchError.

        1.20 lets it go some twelve seconds after the container's end: nobody waits for that here.
        """
        return self.client.demand("DELETE", f"{_PODS}/{pod.name}").began

    def counted(self) -> Counted:
        """What the kubelet counts of its relists and probes; raises CnbenchError."""
        text = self.kubelet.figures()
        relist, asked = "kubelet_pleg_relist", "kubelet_runtime_operations"

        def of(operation: str, name: str) -> float:
            return total(text, name, lambda labels: labels["operation_type"] == operation)

        return Counted(
            total(text, f"{relist}_duration_seconds_count"),
            total(text, f"{relist}_duration_seconds_sum"),
            total(text, f"{relist}_interval_seconds_sum"),
            of("list_podsandbox", f"{asked}_total"),
            of("exec_sync", f"{asked}_duration_seconds_count"),
            of("exec_sync", f"{asked}_duration_seconds_sum"),
        )

    def running(self) -> int:
        """How many pods run, as the kubelet counts them."""
        return round(total(self.kubelet.figures(), "kubelet_running_pods"))

    def _await_running(self, names: set[str], version: str) -> dict[str, int]:
        """When the API said of each of these pods that it runs, in ns; raises CnbenchError."""
        path = f"{_PODS}?watch=true&resourceVersion={version}&timeoutSeconds={_SECONDS}"
        told: dict[str, int] = {}
        with self.kubelet.plane.api.client() as watching:
            for line in watching.lines(path):
                now = time.perf_counter_ns()
                if _RUNS in line and (name := _name_in(line)) in names:
                    told.setdefault(name, now)
                    if told.keys() == names:
                        return told
        missing = ", ".join(sorted(names - told.keys()))
        raise CnbenchError(f"after {_SECONDS} s the API does not say that {missing} run")

    def _pod(self, name: str) -> dict[str, Any]:
        container: dict[str, Any] = {
            "name": "first", "image": image.name(), "imagePullPolicy": "Never"
        }  # fmt: skip
        if self.probed:
            container["livenessProbe"] = {
                "exec": {"command": _PROBE}, "periodSeconds": 1, "timeoutSeconds": _SECONDS,
                "failureThreshold": 1,
            }  # fmt: skip
        return {
            "metadata": {"name": name},
            "spec": {
                "nodeName": NODE,
                "containers": [container],
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                # The program heeds no SIGTERM. Without any grace the object would be gone at once,
                # and the kubelet may start the pod once more before it hears of that (1.20).
                "terminationGracePeriodSeconds": GRACE,
            },
        }


def _name_in(line: bytes) -> str:
    return str(json.loads(line)["object"]["metadata"]["name"])


@contextlib.contextmanager
def open_node(lab: Lab, server: str, count: int, *, probed: bool = False) -> Iterator[Node]:
    """A node of ``server``'s kubelet on which so many pods run, ``probed`` or not.

    Raises:
        UnsupportedError: a program is missing, or this user cannot make the enclave.
        CnbenchError: a server does not answer, or a pod does not run.
    """
    binaries = binaries_of(server)
    with (
        open_enclave(lab) as enclave,
        open_containerd(enclave) as daemon,
        open_cri(daemon) as cri,
    ):
        plane = start_plane(enclave, binaries, MEMORY)
        began = lab.clock.ticks()
        kubelet = start_kubelet(plane, daemon)
        with plane.api.client() as client:
            kubelet.await_ready(client)
            node = Node(kubelet, cri, client, lab.clock.ticks() - began, probed)
            node.pods += node.start(count)
            yield node
