"""Datagrams of two processes over loopback; one is in a cgroup that marks them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter
from cnbench.core.proof import Proof, equal, true
from cnbench.lab.cgroups.marks import Marked
from cnbench.lab.clock import Clock
from cnbench.probes.tenants import Tenant, open_tenant

PACKETS = Parameter(
    "packets",
    "datagrams in one sample of either process",
    quick=(100,),
    full=(100,),
    whole=True,
    minimum=1,
    maximum=200,  # more do not wait in a socket's buffer
)
METRICS = (
    Metric("packet", "s", "lower", "ratio", "cost of a datagram that has the mark"),
    Metric("unmarked", "s", "lower", "ratio", "cost of one that has not"),
)


@dataclass
class MarkedPackets:
    """A subject: a marked group with a process in it, and a process in none."""

    marked: Marked
    inside: Tenant
    outside: Tenant
    clock: Clock
    packets: int
    expected: int = 0
    arrived: int = 0

    def sample(self) -> Mapping[str, float]:
        """The cost of a datagram of either process, sent and delivered."""
        port = self.marked.receiver.getsockname()[1]
        unmarked = self._sent(self.outside, port)
        self.marked.drain()
        marked = self._sent(self.inside, port)
        self.arrived += self.marked.drain()
        self.expected += self.packets + 1  # the task sends one more before it is timed
        units = self.clock.units
        return {
            "packet": units(marked) / self.packets,
            "unmarked": units(unmarked) / self.packets,
        }

    def _sent(self, process: Tenant, port: int) -> int:
        """The time in which ``process`` sends its datagrams, none of which a tick falls into.

        While ksoftirqd has a tick's work to do, datagrams that have arrived are left to it,
        which then go together for a seventh less: one sample in ten.
        """
        self.clock.settle()
        return int(process.do("send_often", port, self.packets))

    def proof(self) -> Proof:
        """The group's datagrams had the mark, and no other's."""
        marked = self.marked
        return Proof(
            (
                true("the group has its mark", marked.read_back(), marked.read_back()),
                equal("packets counted by the mark", self.expected or "some", marked.counted()),
                equal("packets of the group that arrived", self.expected, self.arrived),
                equal("the group's only process", [self.inside.pid], marked.group.members()),
            )
        )


@contextlib.contextmanager
def open_marked_packets(
    opening: AbstractContextManager[Marked], clock: Clock, packets: int
) -> Iterator[MarkedPackets]:
    """The processes that send, ``packets`` in a sample each."""
    with contextlib.ExitStack() as stack:
        marked = stack.enter_context(opening)
        with marked.entered():
            inside = stack.enter_context(open_tenant(marked.group))
            outside = stack.enter_context(open_tenant())
        yield MarkedPackets(marked, inside, outside, clock, packets)
