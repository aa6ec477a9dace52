"""pod-network: what does it cost to send between pods, by the backend that joins their nodes?

``load=loop`` sends one message after the other with both ends in one thread, so that the time that
passes is the CPU time of the whole path, softirq included; it works on both clocks. Its throughput
is that of one processor doing everything. ``load=iperf3`` streams between two processes, each on a
processor of its own where there are two, for wall time alone; its CPU cost is the whole machine's,
and its latency is that of small datagrams sent beside the stream. All devices are veth: there is no
network card in any of this.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Params, Value
from cnbench.core.proof import Check, Proof, equal
from cnbench.experiments.pod_network_path import (
    Carried,
    Observation,
    PodPath,
    carried,
    check_overhead,
    checks_of_counters,
    checks_of_pass,
    observe,
    open_path,
)
from cnbench.lab import commands
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.network.backend import all_backends, backend_called
from cnbench.probes.cpu_time import CpuTime, cpu_time
from cnbench.probes.iperf3 import Iperf3, open_iperf3
from cnbench.probes.traffic import TRAFFIC, Loop, latencies, open_loop

_IPERF3_SECONDS = 1
_PING_SIZE = 64
_PING_PORT = 5301
_PING_EVERY = 0.005
# A datagram that a flooded queue has dropped does not come later.
_PING_PATIENCE = 0.2
# RFC 768 and RFC 791: 65535 bytes less both headers.
_LARGEST_DATAGRAM = 65507


@dataclass
class Account:
    """What a subject's samples have added up to, for its proof."""

    path: PodPath
    offloads: str
    size: int
    protocol: str
    delivered: int = 0
    cpu: CpuTime = field(default_factory=CpuTime)
    capture: Observation | None = None

    def __post_init__(self) -> None:
        self._before = carried(self.path)

    def proof(self, loop: Loop) -> Proof:
        """Configuration read back, counters over the samples, and what taps see of ``loop``.

        The taps are opened after the samples, since they cost time; and once more with all
        offloads off, since only then is what is seen on a device what a wire would carry.
        """
        moved = carried(self.path) - self._before
        topology = self.path.topology
        checks: list[Check] = [
            *self.path.backend.checks(topology),
            _check_offloads(self.offloads, topology.offloads_on()),
            *checks_of_counters(self.path, moved, self.delivered),
            _note_cpu(self.cpu),
        ]
        self.capture = observe(self.path, loop, self.size)
        checks += checks_of_pass(self.path, self.capture)
        topology.switch_offloads_off()
        cut = observe(self.path, loop, self.size)
        checks.append(check_overhead(self.path, cut, self.size, self.protocol))
        return Proof(tuple(checks))


def _check_offloads(wanted: str, found_on: list[str]) -> Check:
    if wanted == "off":
        return equal("offloads that are on, on any device in the way", [], found_on)
    return Check("offloads as the devices come", "some on", f"{len(found_on)} on", bool(found_on))


def _note_cpu(spent: CpuTime) -> Check:
    shares = [
        f"{name} {part / spent.busy:.0%}" if spent.busy else f"{name} below a tick"
        for name, part in (
            ("user", spent.user),
            ("system", spent.system),
            ("softirq", spent.softirq),
        )
    ]
    return Check("CPU time of the samples by the kernel's account", "-", ", ".join(shares), True)


@dataclass
class LoopSubject:
    """Messages in a closed loop."""

    account: Account
    loop: Loop
    clock: Clock
    messages: int

    def sample(self) -> Mapping[str, float]:
        """Costs, latencies and losses of ``messages`` messages."""
        before = carried(self.account.path)
        batch = self.loop.run(self.messages)
        moved = carried(self.account.path) - before
        self.account.delivered += self.messages * self.account.size
        self.account.cpu += batch.cpu
        return {
            "cpu_cost": batch.busy / batch.delivered,
            "throughput": batch.delivered / batch.elapsed,
            **latencies(batch.ticks, self.clock),
            **_packets(moved, moved.retransmitted),
        }

    def proof(self) -> Proof:
        """The path's, seen with this very loop."""
        return self.account.proof(self.loop)


@dataclass
class Iperf3Subject:
    """A stream between two processes, with small datagrams beside it."""

    account: Account
    iperf3: Iperf3
    ping: Loop
    loop: Loop
    clock: Clock

    def sample(self) -> Mapping[str, float]:
        """Costs and losses of a stream of a second, and latencies beside it."""
        ticks: list[int] = []

        def ping() -> None:
            # The datagram may be lost in a flood; the others tell the latency.
            with contextlib.suppress(CnbenchError):
                ticks.append(self.ping.once())
            time.sleep(_PING_EVERY)

        before, cpu_before = carried(self.account.path), cpu_time()
        report = self.iperf3.run(_IPERF3_SECONDS, ping)
        spent = cpu_time() - cpu_before
        moved = carried(self.account.path) - before
        if not ticks:
            raise CnbenchError("none of the datagrams sent beside the stream was answered")
        self.account.delivered += report.delivered
        self.account.cpu += spent
        return {
            "cpu_cost": spent.busy / report.delivered,
            "throughput": report.delivered / report.seconds,
            **latencies(ticks, self.clock),
            **_packets(moved, report.retransmits + report.lost),
        }

    def proof(self) -> Proof:
        """The path's, seen with a loop of the same traffic between the same pods."""
        return self.account.proof(self.loop)


def _packets(moved: Carried, lost: int) -> dict[str, float]:
    return {
        "packet_size": moved.link.bytes / moved.link.packets,
        "lost": (lost + moved.link.dropped) / moved.link.packets,
    }


@contextlib.contextmanager
def open_subject(params: Params, lab: Lab) -> Iterator[LoopSubject | Iperf3Subject]:
    """The pods, joined, with the load between them ready."""
    traffic, size, flows = str(params["traffic"]), int(params["size"]), int(params["flows"])
    protocol = traffic.partition("-")[0]
    with contextlib.ExitStack() as stack:
        path = stack.enter_context(open_path(params, lab))
        loop = stack.enter_context(
            open_loop(traffic, *path.ends, size=size, flows=flows, clock=lab.clock)
        )
        account = Account(path, str(params["offloads"]), size, protocol)
        if params["load"] == "loop":
            yield LoopSubject(account, loop, lab.clock, int(params["messages"]))
            return
        ping = stack.enter_context(
            open_loop(
                "udp-rr",
                *path.ends,
                size=_PING_SIZE,
                flows=1,
                clock=lab.clock,
                patience=_PING_PATIENCE,
                first_port=_PING_PORT,
            )
        )
        iperf3 = stack.enter_context(
            open_iperf3(*path.ends, protocol=protocol, size=size, flows=flows)
        )
        yield Iperf3Subject(account, iperf3, ping, loop, lab.clock)


def _nonsense(params: Params) -> str:
    traffic, flows = str(params["traffic"]), int(params["flows"])
    if params["load"] == "iperf3" and not traffic.endswith("stream"):
        return f"iperf3 has no {traffic}; use load=loop"
    if traffic == "tcp-crr" and flows > 1:
        return "tcp-crr has a connection for each message, so there are no flows to speak of"
    if traffic.startswith("udp") and int(params["size"]) > _LARGEST_DATAGRAM:
        return f"a datagram holds at most {_LARGEST_DATAGRAM} B"
    if params["underlay"] == "bridge" and params["hops"]:
        return "nodes with routers between them are not on one bridge"
    if params["pods"] == "routed" and backend_called(str(params["backend"])).attachment:
        return f"{params['backend']} has its own way to attach pods, or none"
    return ""


def _require(params: Params, lab: Lab) -> None:
    if params["load"] == "iperf3":
        commands.require("iperf3")
        if lab.clock.name == "instructions":
            raise UnsupportedError(
                "iperf3 waits for its other process, which takes time but no instructions",
                "use load=loop, or --clock wall",
            )
    lab.require_namespaces()
    refusal = _refusal(str(params["backend"]), lab)
    if refusal:
        raise refusal.with_traceback(None)


@functools.cache
def _refusal(backend: str, lab: Lab) -> UnsupportedError | None:
    """Why ``lab`` cannot do ``backend``, found by asking its kernel."""
    try:
        backend_called(backend).require(lab)
    except UnsupportedError as error:
        return error
    return None


def _streams(traffic: Params) -> bool:
    return str(traffic["traffic"]).endswith("stream")


def _loads(so_far: Params) -> tuple[Value, ...]:
    return ("loop", "iperf3") if _streams(so_far) else ("loop",)


def _sizes(so_far: Params) -> tuple[Value, ...]:
    # A datagram that every backend's MTU holds; the largest write that one TCP buffer holds.
    return {"tcp-stream": (65536,), "udp-stream": (1400,)}.get(str(so_far["traffic"]), (1,))


def _offloads(so_far: Params) -> tuple[Value, ...]:
    # A message that is one packet anyway has nothing to be cut.
    return ("on", "off") if so_far["traffic"] == "tcp-stream" else ("on",)


def _mtus(so_far: Params) -> tuple[Value, ...]:
    return (1500, 9000) if so_far["traffic"] == "tcp-stream" else (1500,)


_BACKENDS = tuple(all_backends())
_QUICK_BACKENDS = ("host-gw", "vxlan", "ipip", "bgp", "none")

EXPERIMENT = Experiment(
    name="pod-network",
    question="What does traffic between pods cost, by the backend that joins their nodes?",
    parameters=(
        Parameter(
            "backend",
            "what joins the pods of different nodes; none is node to node",
            quick=_QUICK_BACKENDS,
            full=("host-gw", *(name for name in _BACKENDS if name != "host-gw")),
            choices=_BACKENDS,
        ),
        Parameter(
            "traffic",
            "what is sent: streams go one way, rr is answered, crr has a connection for each",
            quick=("tcp-stream", "tcp-rr", "udp-rr", "tcp-crr"),
            full=TRAFFIC,
            choices=TRAFFIC,
        ),
        Parameter(
            "load",
            "what sends it: a closed loop in one thread, or iperf3",
            quick=("loop",),
            full=_loads,
            choices=("loop", "iperf3"),
        ),
        Parameter(
            "size",
            "bytes of a message",
            quick=_sizes,
            full=_sizes,
            unit="B",
            whole=True,
            minimum=1,
            maximum=65536,
        ),
        Parameter(
            "flows",
            "connections that take turns (loop) or stream at once (iperf3)",
            quick=(1,),
            full=(1,),
            whole=True,
            minimum=1,
            maximum=16,
        ),
        Parameter(
            "direction",
            "forward is from the first node to the second",
            quick=("forward",),
            full=("forward",),
            choices=("forward", "reverse"),
        ),
        Parameter(
            "offloads",
            "segmentation and receive offloads (TSO, GSO, GRO) of every device in the way",
            quick=_offloads,
            full=_offloads,
            choices=("on", "off"),
        ),
        Parameter(
            "hops",
            "routers between the nodes",
            quick=(0,),
            full=(0, 1),
            whole=True,
            maximum=3,
        ),
        Parameter(
            "underlay",
            "what joins nodes without routers",
            quick=("veth",),
            full=("veth",),
            choices=("veth", "bridge"),
        ),
        Parameter(
            "pods",
            "how pods are attached: to cni0 as by flannel, or by a route as by Calico",
            quick=("bridge",),
            full=("bridge", "routed"),
            choices=("bridge", "routed"),
        ),
        Parameter(
            "mtu",
            "of the underlay, in bytes without the Ethernet header",
            quick=(1500,),
            full=_mtus,
            unit="B",
            whole=True,
            minimum=576,
            maximum=9000,
        ),
        Parameter(
            "pod_mtu",
            "of the pods: the underlay's less the backend's overhead, or equal for all backends",
            quick=("native",),
            full=("native",),
            choices=("native", "equal"),
        ),
        Parameter(
            "rate",
            "limit of what a node sends, Ethernet headers counted (tbf); 0 is none",
            quick=(0,),
            full=(0,),
            unit="B/s",
        ),
        Parameter(
            "delay",
            "of each frame that a node sends (netem)",
            quick=(0,),
            full=(0,),
            unit="s",
            maximum=10,
        ),
        Parameter(
            "messages",
            "messages in one sample of the closed loop",
            quick=(1000,),
            full=(1000,),
            whole=True,
            minimum=1,
            maximum=1_000_000,
        ),
    ),
    metrics=(
        Metric(
            "cpu_cost", "s/B", "lower", "ratio", "CPU time per byte delivered, softirq included"
        ),
        Metric("throughput", "B/s", "higher", "ratio", "bytes delivered per second"),
        Metric("latency", "s", "lower", "ratio", "time of a message, its answer included, median"),
        Metric("latency_p99", "s", "lower", "ratio", "the same, 99th percentile"),
        Metric("latency_p999", "s", "lower", "ratio", "the same, 99.9th percentile"),
        Metric("packet_size", "B", "higher", "ratio", "mean frame on the underlay"),
        Metric("lost", "1", "lower", "additive", "packets sent again or lost, of those received"),
    ),
    variant="backend",
    beside=("pods",),
    subject=open_subject,
    require=_require,
    nonsense=_nonsense,
    tools=("iperf3",),
)
