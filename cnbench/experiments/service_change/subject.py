"""A pod that becomes ready and is ready no more, and the way of packets to its Service."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cnbench.control_plane.api.client import Client
from cnbench.control_plane.binaries import binaries_of
from cnbench.control_plane.cluster import Cluster, node_name, open_cluster
from cnbench.control_plane.servers.audit import Line
from cnbench.control_plane.servers.etcd import MEMORY
from cnbench.control_plane.servers.plane import require_plane
from cnbench.control_plane.servers.proxy import PROXY, Proxy, Sync, start_proxy
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.service_change import served
from cnbench.experiments.service_change.grid import ADDED
from cnbench.experiments.service_change.probing import Door, open_door
from cnbench.experiments.service_change.steps import SLICES, Programmed, queued, steps, written
from cnbench.lab import commands
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until

_PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", PROXY)
_PATIENCE = 120.0
# kube-proxy syncs at most once a second, after two at once (--iptables-min-sync-period).
_REST = 2.5
# Of the others an end may come first: a watch may tell before the writer is answered.
_AFTER = ("write", "wait", "programming")


@dataclass(frozen=True)
class Wired:
    """A cluster whose Services a kube-proxy programs, and the server behind ours."""

    cluster: Cluster
    proxy: Proxy
    address: str
    door: Door


@dataclass
class Turning:
    """One change of the endpoint a sample.

    Attributes:
        syncs: how many syncs kube-proxy made for each change.
        slices: how often our Service's EndpointSlice was written for each.
        ways: whether connections came to the endpoint after each.
        early: steps in kube-proxy that ended before they began.
    """

    lab: Lab
    wired: Wired
    change: str
    syncs: set[int] = field(default_factory=set)
    slices: set[int] = field(default_factory=set)
    ways: set[bool] = field(default_factory=set)
    early: set[str] = field(default_factory=set)

    def sample(self) -> Mapping[str, float]:
        """Have it as it was before the change, and change it."""
        units, ready = self.lab.clock.units, self.change == ADDED
        with self.wired.cluster.plane.api.client() as api:
            self._turn(api, not ready)
            time.sleep(_REST)
            before = len(self.wired.proxy.syncs())
            self.wired.cluster.audit.skip()
            with self.lab.timed.part():
                first = self._turn(api, ready)
        sync = self._sync_after(before)
        told = queued(self.wired.proxy.figures())
        lines = self._lines()
        took = steps(lines, served.POD, served.SERVICE, Programmed(told, sync, first))
        self.syncs.add(len(self.wired.proxy.syncs()) - before)
        self.slices.add(len(written(lines, SLICES, f"{served.SERVICE}-")))
        self.ways.add(ready)
        self.early |= {step for step in _AFTER if took[step] < 0}
        return {step: units(value) for step, value in took.items()}

    def _turn(self, api: Client, ready: bool) -> int:
        """Have the pod be ready or not: when the first packet found it so, in ns."""
        served.have_ready(api, ready)
        return self.wired.door.first(self.wired.address, ready)

    def _sync_after(self, count: int) -> Sync:
        """The one that follows the first ``count``, once it has ended."""
        syncs: list[Sync] = []

        def ended() -> bool:
            syncs[:] = self.wired.proxy.syncs()[count:]
            return bool(syncs)

        wait_until(ended, "kube-proxy's sync did not end", within=_PATIENCE)
        return syncs[0]

    def _lines(self) -> list[Line]:
        """The audit, until it has the EndpointSlice's write."""
        lines: list[Line] = []

        def there() -> bool:
            lines.extend(self.wired.cluster.audit.new_lines())
            return bool(written(lines, SLICES, f"{served.SERVICE}-"))

        wait_until(there, "the audit lacks the EndpointSlice", within=_PATIENCE)
        return lines

    def proof(self) -> Proof:
        """One write, one slice, one sync, and a packet for each change, one after the other."""
        return Proof(
            (
                equal("syncs of kube-proxy for a change", {1}, self.syncs),
                equal("writes of the EndpointSlice for a change", {1}, self.slices),
                equal("connections come to the endpoint", {self.change == ADDED}, self.ways),
                equal("steps that ended before they began", [], sorted(self.early)),
            )
        )  # fmt: skip


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Turning]:
    """Changes of one kind, in a cluster that both kinds share."""
    key = ("wired", params["server"], params["services"])
    wired = lab.fixture(key, lambda: _open_wired(params, lab))
    yield Turning(lab, wired, params.text("change"))


@contextlib.contextmanager
def _open_wired(params: Point, lab: Lab) -> Iterator[Wired]:
    """A cluster of one node with so many other Services, all programmed."""
    with open_cluster(lab, binaries_of(params.text("server")), MEMORY, 1) as cluster:
        plane, node = cluster.plane, node_name(0)
        # Whatever is sent anywhere comes to this machine, which is all of its pods.
        plane.enclave.run("ip", "address", "add", f"{served.ADDRESS}/32", "dev", "lo")
        plane.enclave.run("ip", "route", "add", "default", "dev", "lo")
        with plane.api.client() as api:
            address = served.make(api, node)
            served.add_others(plane.api.client, api, params.whole("services"))
        proxy = start_proxy(plane, node)
        with open_door(plane.enclave.network, served.ADDRESS) as door:
            yield Wired(cluster, proxy, address, door)


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where the servers, or what they need, are not there."""
    require_plane(lab)
    commands.require("iptables-restore")
    binaries = binaries_of(params.text("server"))
    for program in _PROGRAMS:
        binaries.path(program)
