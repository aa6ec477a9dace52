"""The control path: what programming a node costs, from empty and change by change."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cnbench.core.metric import Metric
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.service_routing.append import FRONT_ENDS
from cnbench.experiments.service_routing.cluster import proxy_of
from cnbench.experiments.service_routing.halves import Half, families_of, halves_of
from cnbench.experiments.service_routing.listing import listed, written
from cnbench.experiments.service_routing.tool_alone import ToolAlone, tool_alone
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace
from cnbench.network import service_addresses
from cnbench.network.ipv6 import enable_ipv6
from cnbench.proxy import Family, Proxy
from cnbench.proxy.model import in_proxy_order

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

_UNACCOUNTED = re.compile(r"^(?:Slab|VmallocUsed|Percpu):\s+(\d+) kB$", re.M)


@dataclass(frozen=True)
class Programmer:
    """One family's services, and what programs a node with them."""

    half: Half
    proxy: Proxy


@dataclass
class Programming:
    """A node whose rules are written and rewritten; each family's in turn, as kube-proxy does."""

    node: NetworkNamespace
    programmers: Sequence[Programmer]
    mode: str
    lab: Lab

    def timed(self, action: Callable[[Programmer], object]) -> float:
        """What ``action`` takes for all families together, in the clock's units."""

        def for_each() -> None:
            for programmer in self.programmers:
                action(programmer)

        return self.lab.clock.units(self.lab.clock.timed(for_each)[0])

    def clear(self) -> None:
        """Empty the node, and have the kernel through with it.

        What it puts off (IPVS frees a grace period later, by a worker) would else be counted with
        what is programmed next: 5 of 47 million instructions of 100 services' sync, every other
        time.
        """
        for programmer in self.programmers:
            programmer.proxy.clear()
        self.lab.clock.settle()

    def proof(self) -> Proof:
        """The kernel lists exactly as many ways to services as were programmed last."""
        return Proof(
            tuple(
                equal(
                    f"addresses of {half.family.shown} services that the kernel lists",
                    written(self.mode, half),
                    listed(self.mode, half, self.node),
                )
                for half in (programmer.half for programmer in self.programmers)
            )
        )


@dataclass
class SyncSubject(Programming):
    """Programming everything from empty, and beside it what the tool takes by itself."""

    tools: Sequence[ToolAlone]

    def __post_init__(self) -> None:
        self._turns = itertools.count()

    def sample(self) -> Mapping[str, float]:
        """One full sync of an empty node, and one by the tool alone; each comes first in turn."""
        ours, alone = self._sync, self._tool
        first, second = (ours, alone) if next(self._turns) % 2 == 0 else (alone, ours)
        values = {**first(), **second()}
        return values | {OVERHEAD.name: values[SYNC.name] / values[TOOL.name]}

    def _sync(self) -> Mapping[str, float]:
        self.clear()
        before = _kernel_memory()
        arrival = self.timed(lambda programmer: programmer.proxy.announce(programmer.half.services))
        took = self.timed(lambda programmer: programmer.proxy.sync(programmer.half.services))
        values = {SYNC.name: took, MEMORY.name: _kernel_memory() - before}
        return values | ({ARRIVAL.name: arrival} if self.mode in FRONT_ENDS else {})

    def _tool(self) -> Mapping[str, float]:
        self.clear()
        took = self.lab.clock.units(self.lab.clock.timed(self._run_tools)[0])
        for tool in self.tools:
            tool.clear()
        return {TOOL.name: took}

    def _run_tools(self) -> None:
        for tool in self.tools:
            tool.run()

    def proof(self) -> Proof:
        """The kernel lists every service after a sync, whichever came last in a sample."""
        self._sync()
        return super().proof()


@dataclass
class UpdateSubject(Programming):
    """Changes to a node that is programmed; each sample leaves it as it found it."""

    def __post_init__(self) -> None:
        self._changes = {
            programmer.half.family: _Changes(programmer.half) for programmer in self.programmers
        }

    def sample(self) -> Mapping[str, float]:
        """One service added and taken out, one endpoint replaced, and nothing changed."""

        def changes(programmer: Programmer) -> _Changes:
            return self._changes[programmer.half.family]

        took = {
            UPDATE.name: self.timed(
                lambda programmer: programmer.proxy.update(changed=[changes(programmer).added])
            ),
            DELETE.name: self.timed(
                lambda programmer: programmer.proxy.update(deleted=[changes(programmer).added.key])
            ),
            ENDPOINT.name: self.timed(
                lambda programmer: programmer.proxy.update(changed=[changes(programmer).replaced])
            ),
        }
        for programmer in self.programmers:
            programmer.proxy.update(changed=[changes(programmer).first])
        return took | {NOTHING.name: self.timed(lambda programmer: programmer.proxy.update())}


class _Changes:
    """What is changed in one family: the service that is addressed, in turn with others like it."""

    def __init__(self, half: Half) -> None:
        self.first, port = half.at("first")[0]
        unused, another = _UNUSED[half.path]
        # What belongs to one service alone is not the added one's, too.
        own = replace(port, node_port=0)
        self.added = replace(
            self.first,
            name="added",
            cluster_ip=unused,
            ports=(own,),
            external_ips=(),
            load_balancer_ips=(),
            health_check_node_port=0,
        )
        behind = next(iter(port.endpoints))
        elsewhere = (replace(behind, address=another), *port.endpoints[1:])
        self.replaced = replace(
            self.first,
            ports=tuple(
                replace(port, endpoints=in_proxy_order(elsewhere)) if each == port else each
                for each in self.first.ports
            ),
        )


# A cluster IP and an endpoint's address that none of a cluster's services has: in the made-up ones'
# networks below what these get, and in what is set apart.
_UNUSED = {
    service_addresses.IPV4: ("10.96.0.200", "10.128.0.200"),
    service_addresses.IPV6: ("fd00:10:96::c8", "fd00:10:128:1::c8"),
    service_addresses.APART_IPV4: ("198.19.0.200", "198.19.1.200"),
    service_addresses.APART_IPV6: ("2001:2:0:96::c8", "2001:2:0:128::c8"),
}


def _kernel_memory() -> int:
    """Bytes in slabs, vmalloc and per-CPU areas: where netfilter and IPVS keep their rules."""
    found = _UNACCOUNTED.findall(Path("/proc/meminfo").read_text())
    return 1024 * sum(map(int, found))


@contextlib.contextmanager
def open_sync(params: Point, lab: Lab) -> Iterator[SyncSubject]:
    """An empty node."""
    with _node(params, lab) as node:
        programmers, mode = _programmers(node, params, lab), params.text("mode")
        folder, scheduler = lab.temporary_folder(), params.text("scheduler")
        tools = [
            tool_alone(mode, node, programmer.half, scheduler, folder) for programmer in programmers
        ]
        yield SyncSubject(node, programmers, mode, lab, tools)


@contextlib.contextmanager
def open_update(params: Point, lab: Lab) -> Iterator[UpdateSubject]:
    """A node with all services programmed."""
    with _node(params, lab) as node:
        programmers = _programmers(node, params, lab)
        for programmer in programmers:
            programmer.proxy.fill(programmer.half.services)
        yield UpdateSubject(node, programmers, params.text("mode"), lab)


@contextlib.contextmanager
def _node(params: Point, lab: Lab) -> Iterator[NetworkNamespace]:
    with lab.network_namespace("node") as node:
        if Family.IPV6 in families_of(params):
            enable_ipv6(node)
        yield node


def _programmers(node: NetworkNamespace, params: Point, lab: Lab) -> list[Programmer]:
    return [
        Programmer(half, proxy_of(params, lab, node, half.node)) for half in halves_of(params, lab)
    ]
