"""The control path: what programming a node costs, from empty and change by change."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cnbench.core.metric import Metric
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.service_routing.append import FRONT_ENDS
from cnbench.experiments.service_routing.cluster import proxy_of, services_of
from cnbench.experiments.service_routing.tool_alone import ToolAlone, tool_alone
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace
from cnbench.proxy import Endpoint, Proxy, Service

SYNC = Metric("sync", "s", "lower", "ratio", "time to program all services from empty")
ARRIVAL = Metric(
    "arrival", "s", "lower", "ratio", "time to name the chains of all services, before the sync"
)
TOOL = Metric("tool", "s", "lower", "ratio", "time that its tool takes alone for the same program")
OVERHEAD = Metric("overhead", "", "lower", "ratio", "the sync over the tool alone, in one sample")
MEMORY = Metric("kernel_memory", "B", "lower", "additive", "what the kernel keeps for them")
UPDATE = Metric("update", "s", "lower", "ratio", "time to add one service to those there are")
ENDPOINT = Metric("endpoint_change", "s", "lower", "ratio", "time to replace one endpoint")
NOTHING = Metric("no_change", "s", "lower", "ratio", "time of a sync in which nothing changed")
DELETE = Metric("delete", "s", "lower", "ratio", "time to take one service out again")

# Lines, in what prints a node's rules, that stand for one service each.
_LISTINGS = {
    "iptables": (["iptables-legacy-save", "-t", "nat"], r"^-A KUBE-SERVICES .*-j KUBE-SVC-"),
    "iptables-nft": (["iptables-nft-save", "-t", "nat"], r"^-A KUBE-SERVICES .*-j KUBE-SVC-"),
    "nftables": (
        ["nft", "list", "map", "ip", "kube-proxy", "service-ips"],
        r"[\d.]+ \. tcp \. \d+",
    ),
    "ipvs": (["ipvsadm", "-L", "-n"], r"^TCP "),
}
_UNACCOUNTED = re.compile(r"^(?:Slab|VmallocUsed|Percpu):\s+(\d+) kB$", re.M)


@dataclass
class Programming:
    """A node whose rules are written and rewritten."""

    node: NetworkNamespace
    proxy: Proxy
    services: list[Service]
    mode: str
    lab: Lab

    def timed(self, action: Callable[[], object]) -> float:
        """What ``action`` takes, in the clock's units."""
        return self.lab.clock.units(self.lab.clock.timed(action)[0])

    def proof(self) -> Proof:
        """The kernel lists exactly as many services as were programmed last."""
        argv, one_service = _LISTINGS[self.mode]
        listed = len(re.findall(one_service, self.node.run(argv).stdout, re.M))
        return Proof((equal("services that the kernel lists", len(self.services), listed),))


@dataclass
class SyncSubject(Programming):
    """Programming everything from empty, and beside it what the tool takes by itself."""

    tool: ToolAlone

    def __post_init__(self) -> None:
        self._turns = itertools.count()

    def sample(self) -> Mapping[str, float]:
        """One full sync of an empty node, and one by the tool alone; each comes first in turn."""
        ours, alone = self._sync, self._tool
        first, second = (ours, alone) if next(self._turns) % 2 == 0 else (alone, ours)
        values = {**first(), **second()}
        return values | {OVERHEAD.name: values[SYNC.name] / values[TOOL.name]}

    def _sync(self) -> Mapping[str, float]:
        self.proxy.clear()
        before = _kernel_memory()
        arrival = self.timed(lambda: self.proxy.announce(self.services))
        took = self.timed(lambda: self.proxy.sync(self.services))
        values = {SYNC.name: took, MEMORY.name: _kernel_memory() - before}
        return values | ({ARRIVAL.name: arrival} if self.mode in FRONT_ENDS else {})

    def _tool(self) -> Mapping[str, float]:
        self.proxy.clear()
        took = self.timed(self.tool.run)
        self.tool.clear()
        return {TOOL.name: took}

    def proof(self) -> Proof:
        """The kernel lists every service after a sync, whichever came last in a sample."""
        self._sync()
        return super().proof()


@dataclass
class UpdateSubject(Programming):
    """Changes to a node that is programmed; each sample leaves it as it found it."""

    def sample(self) -> Mapping[str, float]:
        """One service added and taken out, one endpoint replaced, and nothing changed."""
        first = self.services[0]
        added = replace(first, name="added", cluster_ip=_UNUSED_CLUSTER_IP)
        took = {
            UPDATE.name: self.timed(lambda: self.proxy.update(changed=[added])),
            DELETE.name: self.timed(lambda: self.proxy.update(deleted=[added.key])),
            ENDPOINT.name: self.timed(
                lambda: self.proxy.update(changed=[_with_another_endpoint(first)])
            ),
        }
        self.proxy.update(changed=[first])
        return took | {NOTHING.name: self.timed(self.proxy.update)}


# In the service network, below the first address that a made-up service gets.
_UNUSED_CLUSTER_IP = "10.96.0.200"


def _with_another_endpoint(service: Service) -> Service:
    port = service.ports[0]
    another = Endpoint("10.128.0.200", port.endpoints[0].port)
    return replace(service, ports=(replace(port, endpoints=(another, *port.endpoints[1:])),))


def _kernel_memory() -> int:
    """Bytes in slabs, vmalloc and per-CPU areas: where netfilter and IPVS keep their rules."""
    found = _UNACCOUNTED.findall(Path("/proc/meminfo").read_text())
    return 1024 * sum(map(int, found))


@contextlib.contextmanager
def open_sync(params: Point, lab: Lab) -> Iterator[SyncSubject]:
    """An empty node."""
    with lab.network_namespace("node") as node:
        ready = _programming(node, params, lab)
        services, mode = services_of(params), params.text("mode")
        tool = tool_alone(mode, node, services, params.text("scheduler"), lab.temporary_folder())
        yield SyncSubject(*ready, tool)


@contextlib.contextmanager
def open_update(params: Point, lab: Lab) -> Iterator[UpdateSubject]:
    """A node with all services programmed."""
    with lab.network_namespace("node") as node:
        subject = UpdateSubject(*_programming(node, params, lab))
        subject.proxy.fill(subject.services)
        yield subject


def _programming(
    node: NetworkNamespace, params: Point, lab: Lab
) -> tuple[NetworkNamespace, Proxy, list[Service], str, Lab]:
    return node, proxy_of(params, lab, node), services_of(params), params.text("mode"), lab
