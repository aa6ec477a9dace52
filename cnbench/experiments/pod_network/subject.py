"""The two ways to load a path: a closed loop in one thread, or iperf3 in two processes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cnbench.core.errors import CnbenchError
from cnbench.core.metric import Metric
from cnbench.core.parameter import Point
from cnbench.core.proof import Check, Proof
from cnbench.core.ranks import nearest_rank
from cnbench.experiments.pod_network.counters import Carried, carried
from cnbench.experiments.pod_network.path import open_path
from cnbench.experiments.pod_network.processors import CPU_PARTS, Processors
from cnbench.experiments.pod_network.proof import TrafficTotals
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.probes.iperf3 import Iperf3, open_iperf3
from cnbench.probes.traffic import COSTS, CPU_COST, LATENCY, THROUGHPUT, Loop, Traffic, costs

_IPERF3_SECONDS = 1
_PING_SIZE = 64
_PING_PORT = 5301
# Never beside the stream that is measured: their sender takes time from it, and when sender and
# receiver take turns changes. In a guest with one processor that made 2 to 5 % of its throughput.
_PING_EVERY = 0.02
# A datagram that a flooded queue has dropped does not come later.
_PING_PATIENCE = 0.2

METRICS = (
    *COSTS,
    *CPU_PARTS,
    Metric("packets", "", "lower", "ratio", "frames on the underlay for a message, one way"),
    Metric("packet_size", "B", "higher", "ratio", "mean frame on the underlay"),
    Metric("retransmitted", "1", "lower", "additive", "TCP segments sent again, of the frames"),
    Metric("dropped", "1", "lower", "additive", "datagrams and frames dropped, of the frames"),
)


@dataclass
class LoopSubject:
    """Messages in a closed loop."""

    totals: TrafficTotals
    traffic: Traffic
    clock: Clock
    messages: int
    _processors: set[int] = field(default_factory=set)

    def sample(self) -> Mapping[str, float]:
        """Costs, latencies and losses of ``messages`` messages over new connections."""
        with self.traffic.connected() as loop:
            before = carried(self.totals.path)
            batch = loop.run(self.messages)
            moved = carried(self.totals.path) - before
        self.totals.add(moved, self.messages * self.totals.size, batch.cpu)
        self._processors.add(batch.processor)
        return {
            **costs(self.traffic.kind, batch, self.clock),
            **_packets(moved, self.messages, moved.retransmitted),
        }

    def proof(self) -> Proof:
        """The path's, seen with the same traffic."""
        share = Check(
            "processors that did the work of both nodes",
            "one",
            ", ".join(map(str, sorted(self._processors))),
            len(self._processors) == 1,
        )
        with self.traffic.connected() as loop:
            return Proof((*self.totals.proof(loop).checks, share))

    def capture(self) -> bytes:
        """The first packets that the proof saw on the underlay."""
        return self.totals.capture()


@dataclass
class Iperf3Subject:
    """A stream between two processes, and another with small datagrams beside it."""

    totals: TrafficTotals
    iperf3: Iperf3
    ping: Loop
    traffic: Traffic
    clock: Clock
    processors: Processors

    def sample(self) -> Mapping[str, float]:
        """Costs and losses of a stream of a second, and the latency beside one more."""
        before, cpu_before = carried(self.totals.path), self.processors.spent()
        report = self.iperf3.run(_IPERF3_SECONDS)
        spent = self.processors.spent() - cpu_before
        moved = carried(self.totals.path) - before
        self.totals.add(moved, report.delivered, spent.machine)
        return {
            CPU_COST.name: spent.machine.busy / report.delivered,
            **self.processors.parts(spent, report.delivered),
            THROUGHPUT.name: report.delivered / report.seconds,
            LATENCY.name: self._latency_beside_a_stream(),
            **_packets(
                moved,
                report.delivered / self.totals.size,
                report.retransmits,
                report.lost,
            ),
        }

    def _latency_beside_a_stream(self) -> float:
        """The median; of so few datagrams the slowest is no 99th percentile."""
        ticks: list[int] = []

        def ping() -> None:
            # The datagram may be lost in a flood; the others tell the latency.
            with contextlib.suppress(CnbenchError):
                ticks.append(self.ping.once())
            time.sleep(_PING_EVERY)

        self.iperf3.run(_IPERF3_SECONDS, ping)
        if not ticks:
            raise CnbenchError("none of the datagrams sent beside the stream was answered")
        return self.clock.units(nearest_rank(ticks, 0.5))

    def proof(self) -> Proof:
        """The path's, seen with a loop of the same traffic between the same pods."""
        placed = self.processors.check()
        with self.traffic.connected() as loop:
            return Proof((*self.totals.proof(loop).checks, placed))

    def capture(self) -> bytes:
        """The first packets that the proof saw on the underlay."""
        return self.totals.capture()


def _packets(
    moved: Carried, messages: float, retransmitted: int, lost: int = 0
) -> dict[str, float]:
    """What became of messages on the underlay, by what the server's node received there."""
    frames = moved.link.packets
    return {
        "packets": frames / messages,
        "packet_size": moved.link.bytes / frames,
        "retransmitted": retransmitted / frames,
        "dropped": (lost + moved.link.dropped) / frames,
    }


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[LoopSubject | Iperf3Subject]:
    """The pods, joined, with the load between them ready."""
    kind, size, flows = params.text("traffic"), params.whole("size"), params.whole("flows")
    protocol = kind.partition("-")[0]
    with contextlib.ExitStack() as stack:
        path = stack.enter_context(open_path(params, lab))
        traffic = Traffic(kind, *path.ends, size=size, flows=flows, clock=lab.clock)
        totals = TrafficTotals(path, params.text("offloads"), size, kind, _countable(params))
        if params["load"] == "loop":
            yield LoopSubject(totals, traffic, lab.clock, params.whole("messages"))
            return
        pings = Traffic(
            "udp-rr",
            *path.ends,
            size=_PING_SIZE,
            flows=1,
            clock=lab.clock,
            patience=_PING_PATIENCE,
            port=_PING_PORT,
        )
        ping = stack.enter_context(pings.connected())
        iperf3 = stack.enter_context(
            open_iperf3(*path.ends, protocol=protocol, size=size, flows=flows)
        )
        receiving, sending = iperf3.cpus
        processors = Processors(path, sending, receiving)
        yield Iperf3Subject(totals, iperf3, ping, traffic, lab.clock, processors)


def _countable(params: Point) -> bool:
    """Whether each frame that a device counts is one that a wire would carry, and of a message.

    A loop's stream has nothing else in its direction; what is not cut is counted as one frame.
    """
    cut = params["traffic"] == "udp-stream" or params["offloads"] == "off"
    return cut and params.text("traffic").endswith("-stream") and params["load"] == "loop"
