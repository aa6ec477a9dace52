"""An established connection through a service: it should no longer depend on the rules.

conntrack remembers where the first packet went, so none that follows walks the nat table; in IPVS
mode they all cross the sets that guard INPUT. Messages and their answers, or a stream, go over one
connection a sample.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cnbench.core.metric import Metric
from cnbench.core.parameter import Point
from cnbench.core.proof import Check, Proof, equal
from cnbench.core.ranks import nearest_rank
from cnbench.experiments.service_routing.halves import PORT
from cnbench.experiments.service_routing.paths import Way, ways_of
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.network.conntrack import Conntrack, conntrack
from cnbench.network.devices import links
from cnbench.network.service_path import CLIENTS, NODE_ENDS
from cnbench.probes.traffic import THROUGHPUT, End, Exchanged, Traffic

RTT = Metric("rtt", "s", "lower", "ratio", "a message and its answer, established, median")
RTT_P99 = Metric("rtt_p99", "s", "lower", "ratio", "the same, 99th percentile")

# A message of a byte, and what one write hands to TCP at most; a datagram that an MTU holds.
_RTT_SIZE = 1
_STREAM_SIZES = {"tcp": 65536, "udp": 1400}


@dataclass
class EstablishedSubject:
    """Connections on one way, each of which carries a sample's messages."""

    way: Way
    traffic: Traffic
    messages: int
    clock: Clock

    def __post_init__(self) -> None:
        self._connections = 0
        self._due = 0
        self._counted_at_opening = 0
        self._counted = 0
        self._delivered = 0
        self._conntrack = conntrack(self.way.path.node)
        self._received = self._node_received()

    def run(self) -> Exchanged:
        """One sample's messages."""
        at_first = self.way.passed_before()
        with self.traffic.connected() as loop:
            once_open = self.way.passed()
            batch = loop.run(self.messages)
            self._counted += self.way.passed() - once_open
        self._connections += 1
        self._due += sum(self.way.due(self.way.leads_to).values())
        self._counted_at_opening += once_open - at_first
        self._delivered += batch.delivered
        return batch

    def _node_received(self) -> int:
        """Bytes that the node has received from both ends."""
        node = self.way.path.node
        return sum(links.received(node, end).bytes for end in NODE_ENDS)

    def proof(self) -> Proof:
        """The rules counted each connection's first packet and no other; the node carried all.

        Connections of other cases over the same node make its devices count more.
        """
        received = self._node_received() - self._received
        moved = conntrack(self.way.path.node) - self._conntrack
        return Proof(
            (
                equal(
                    f"first packets that the rules counted of {self._connections} connections",
                    self._due,
                    self._counted_at_opening,
                ),
                equal("packets that they counted of the messages", 0, self._counted),
                Check(
                    "bytes that the node received from both ends",
                    f"at least the {self._delivered} delivered",
                    str(received),
                    received >= self._delivered,
                ),
                equal("conntrack's failed insertions and drops", Conntrack(0, 0), moved),
            )
        )


class RttSubject(EstablishedSubject):
    """Messages and answers."""

    def sample(self) -> Mapping[str, float]:
        """How long a message and its answer take."""
        ticks = self.run().ticks
        return {
            RTT.name: self.clock.units(nearest_rank(ticks, 0.5)),
            RTT_P99.name: self.clock.units(nearest_rank(ticks, 0.99)),
        }


class ThroughputSubject(EstablishedSubject):
    """A stream."""

    def sample(self) -> Mapping[str, float]:
        """How much is delivered a second."""
        batch = self.run()
        return {THROUGHPUT.name: batch.delivered / batch.elapsed}


_SUBJECTS: dict[str, type[RttSubject | ThroughputSubject]] = {
    "rtt": RttSubject,
    "throughput": ThroughputSubject,
}


@contextlib.contextmanager
def open_established(params: Point, lab: Lab) -> Iterator[RttSubject | ThroughputSubject]:
    """Connections through a cluster that all positions of a mode share, or past it."""
    (way,) = ways_of(params, lab)
    ((target, endpoints),) = way.leads_to.items()
    protocol, measure = params.text("protocol"), params.text("measure")
    kind, size = (
        (f"{protocol}-rr", _RTT_SIZE)
        if measure == "rtt"
        else (f"{protocol}-stream", _STREAM_SIZES[protocol])
    )
    anywhere = "0.0.0.0"  # noqa: S104  inside a namespace of the run's own
    listens_at = next(iter(endpoints)).host if len(endpoints) == 1 else anywhere
    client = End(way.path.client, CLIENTS[0])
    server = End(way.path.backend, listens_at, known_as=target.host)
    traffic = Traffic(kind, client, server, size=size, flows=1, clock=lab.clock, port=PORT)
    yield _SUBJECTS[measure](way, traffic, params.whole("messages"), lab.clock)
