"""A node with a real kubelet: its pods, and what it counts of itself."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cnbench.containers import image
from cnbench.containers.containerd import OF_THE_CRI, open_containerd
from cnbench.containers.cri import Cri, open_cri
from cnbench.containers.enclave import open_enclave
from cnbench.control_plane.api.client import Client, Reply
from cnbench.control_plane.api.figures import total
from cnbench.control_plane.binaries import binaries_of
from cnbench.control_plane.servers.etcd import MEMORY
from cnbench.control_plane.servers.kubelet import NODE, Kubelet, start_kubelet
from cnbench.control_plane.servers.plane import start_plane
from cnbench.lab.host import Lab

_PODS = "/api/v1/namespaces/default/pods"
_RUNS = b'"phase":"Running"'
_SECONDS = 120
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
class Relists:
    """What a kubelet has counted of its relists so far: how many, their seconds, those between.

    Attributes:
        count: relists.
        took: of all of them together, in s.
        intervals: of all periods between two, in s.
        asked: lists of sandboxes that the runtime was asked for, by whatever part of the kubelet.
    """

    count: float
    took: float
    intervals: float
    asked: float

    def __sub__(self, earlier: Relists) -> Relists:
        """What was counted since."""
        return Relists(
            self.count - earlier.count, self.took - earlier.took,
            self.intervals - earlier.intervals, self.asked - earlier.asked,
        )  # fmt: skip


@dataclass
class Node:
    """Use ``open_node``.

    Attributes:
        ready: ns from the kubelet's start until its node was ready.
        pods: those that run for good.
    """

    kubelet: Kubelet
    cri: Cri
    client: Client
    ready: int
    pods: list[Pod] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def start(self) -> Pod:
        """Have another pod made and run; raises CnbenchError."""
        name = f"pod-{next(self._numbers)}"
        made = self.client.demand("POST", _PODS, _pod(name))
        told = self._await_running(name, made.said()["metadata"]["resourceVersion"])
        status = self.client.get(f"{_PODS}/{name}")["status"]
        container = status["containerStatuses"][0]["containerID"].rpartition("/")[2]
        pid = self.cri.daemon.process(container, OF_THE_CRI)
        return Pod(name, made.began, told.ended, container, pid)

    def delete(self, pod: Pod) -> int:
        """Delete a pod's object: when that was asked for; raises CnbenchError.

        1.20 lets it go some twelve seconds after the container's end: nobody waits for that here.
        """
        return self.client.demand("DELETE", f"{_PODS}/{pod.name}").began

    def relists(self) -> Relists:
        """What the kubelet counts of its relists; raises CnbenchError."""
        text = self.kubelet.figures()
        relist = "kubelet_pleg_relist"
        return Relists(
            total(text, f"{relist}_duration_seconds_count"),
            total(text, f"{relist}_duration_seconds_sum"),
            total(text, f"{relist}_interval_seconds_sum"),
            total(
                text, "kubelet_runtime_operations_total",
                lambda labels: labels["operation_type"] == "list_podsandbox",
            ),
        )  # fmt: skip

    def running(self) -> int:
        """How many pods run, as the kubelet counts them."""
        return round(total(self.kubelet.figures(), "kubelet_running_pods"))

    def _await_running(self, name: str, version: str) -> Reply:
        """What the API says of a pod, up to where it runs; raises CnbenchError."""
        path = (
            f"{_PODS}?watch=true&fieldSelector=metadata.name={name}&resourceVersion={version}"
            f"&timeoutSeconds={_SECONDS}"
        )
        with self.kubelet.plane.api.client() as watching:
            return watching.read_until(path, _RUNS)


def _pod(name: str) -> dict[str, Any]:
    container = {"name": "first", "image": image.name(), "imagePullPolicy": "Never"}
    return {
        "metadata": {"name": name},
        "spec": {
            "nodeName": NODE,
            "containers": [container],
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            # The program heeds no SIGTERM. Without any grace the object would be gone at once, and
            # the kubelet may start the pod once more before it hears of that (1.20).
            "terminationGracePeriodSeconds": GRACE,
        },
    }


@contextlib.contextmanager
def open_node(lab: Lab, server: str, count: int) -> Iterator[Node]:
    """A node of ``server``'s kubelet on which so many pods run.

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
            node = Node(kubelet, cri, client, lab.clock.ticks() - began)
            node.pods += [node.start() for _ in range(count)]
            yield node
