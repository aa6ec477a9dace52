"""The path that pod-network measures, and the evidence that traffic took it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.core.parameter import Params
from cnbench.core.proof import Check, equal
from cnbench.lab.host import Lab
from cnbench.network import links, shaping
from cnbench.network.backend import Backend, Encapsulation, backend_called
from cnbench.network.routes import acknowledge_at_once
from cnbench.network.topology import Node, Topology, open_topology
from cnbench.network.underlay import DEVICE
from cnbench.probes.packets import Packet, dissect, expected_bytes
from cnbench.probes.tap import Frame, open_tap
from cnbench.probes.traffic import End, Loop

# How much smaller than the underlay's the pods' MTU is where all backends have the same: WireGuard
# over IPv6 is the largest overhead there is, and its devices are born with this MTU.
_ROOM_FOR_ANY = 80
# How much the proof's own pass sends: some hundreds of full packets.
_PROOF_BYTES = 1 << 20
_FEWEST, _MOST = 20, 200


@dataclass(frozen=True)
class PodPath:
    """Two pods that reach each other, in one direction.

    Attributes:
        topology: where they are.
        backend: what joins them.
        client: the node whose pod begins.
        server: the node whose pod is sent to.
    """

    topology: Topology
    backend: Backend
    client: Node
    server: Node

    @property
    def ends(self) -> tuple[End, End]:
        """The client's pod and the server's."""
        near, far = (End(node.pod, node.pod_address) for node in (self.client, self.server))
        return near, far

    @property
    def encapsulation(self) -> Encapsulation:
        """What packets wear on the underlay."""
        return self.backend.encapsulation(len(self.topology.underlay.routers))


@contextlib.contextmanager
def open_path(params: Params, lab: Lab) -> Iterator[PodPath]:
    """The nodes, their pods and the backend, as ``params`` has them."""
    backend = backend_called(str(params["backend"]))
    hops, mtu = int(params["hops"]), int(params["mtu"])
    room = backend.encapsulation(hops).overhead if params["pod_mtu"] == "native" else _ROOM_FOR_ANY
    with open_topology(
        lab,
        underlay=str(params["underlay"]),
        hops=hops,
        mtu=mtu - room if backend.attachment == "none" else mtu,
        attachment=backend.attachment or str(params["pods"]),
        pod_mtu=mtu - room,
    ) as topology:
        backend.install(topology)
        if params["offloads"] == "off":
            topology.switch_offloads_off()
            left_on = topology.offloads_on()
            if left_on:
                raise UnsupportedError(
                    f"{backend.name} keeps offloads on: {', '.join(left_on)}", "use offloads=on"
                )
        if params["rate"]:
            shaping.limit_rate(topology, float(params["rate"]))
        if params["delay"]:
            shaping.delay(topology, float(params["delay"]))
        if _acknowledgements_matter(params):
            for node, peer in topology.pairs:
                acknowledge_at_once(node.pod, peer.pod_address)
        client, server = topology.nodes
        if params["direction"] == "reverse":
            client, server = server, client
        yield PodPath(topology, backend, client, server)


def _acknowledgements_matter(params: Params) -> bool:
    """Whether a chance decides what a message costs.

    That TCP delays acknowledgements until the receiver reads is decided once, by a timer that fired
    while the loop was preempted, and doubles the cost of a large buffer from then on. Cut into
    packets, on the other hand, each would be acknowledged by itself, which real TCP does not do.
    """
    stream = params["traffic"] == "tcp-stream" and params["load"] == "loop"
    return stream and params["offloads"] == "on"


@dataclass(frozen=True)
class Carried:
    """What the server's node received by the underlay, and what TCP sent again."""

    link: links.LinkCounters
    tunnel: links.LinkCounters | None
    retransmitted: int

    def __sub__(self, before: Carried) -> Carried:
        tunnel = self.tunnel - before.tunnel if self.tunnel and before.tunnel else None
        return Carried(self.link - before.link, tunnel, self.retransmitted - before.retransmitted)


def carried(path: PodPath) -> Carried:
    """The counters as they stand."""
    device = path.encapsulation.device
    node = path.server.namespace
    return Carried(
        links.received(node, DEVICE),
        links.received(node, device) if device else None,
        sum(_retransmitted(end) for end in path.ends),
    )


def _retransmitted(end: End) -> int:
    with end.namespace.entered():
        lines = Path("/proc/thread-self/net/snmp").read_text().splitlines()
    names, values = (line.split()[1:] for line in lines if line.startswith("Tcp:"))
    return int(dict(zip(names, values, strict=True))["RetransSegs"])


@dataclass
class Observation:
    """What taps on both nodes saw of the messages from client to server.

    Attributes:
        messages: how many were exchanged.
        arrived: frames at the server's node by encapsulation.
        payload: bytes in them that an application sent.
        length: bytes of the frames that carried those.
        routers: by how much the outermost TTL was less on arrival; one number where all agree.
        capture: the frames at the server's node, answers included.
    """

    messages: int
    arrived: Counter[str] = field(default_factory=Counter)
    payload: int = 0
    length: int = 0
    routers: set[int] = field(default_factory=set)
    capture: list[Frame] = field(default_factory=list)


def observe(path: PodPath, loop: Loop, size: int) -> Observation:
    """Exchange messages of ``size`` bytes with taps on both nodes; nothing is timed meanwhile."""
    seen = Observation(min(_MOST, max(_FEWEST, _PROOF_BYTES // size)))
    with (
        open_tap(path.client.namespace, DEVICE) as departures,
        open_tap(path.server.namespace, DEVICE) as arrivals,
    ):
        for _ in range(seen.messages):
            loop.once()
            sent = {packet.ttl for _, packet in _ours(path, list(departures.frames()))}
            frames = list(arrivals.frames())
            seen.capture += frames
            for frame, packet in _ours(path, frames):
                seen.arrived[packet.encapsulation] += 1
                seen.payload += packet.payload
                seen.length += frame.length
                seen.routers |= {ttl - packet.ttl for ttl in sent}
    return seen


def _ours(path: PodPath, frames: list[Frame]) -> list[tuple[Frame, Packet]]:
    """The frames that carry data from client to server."""
    wanted = (path.client.pod_address, path.server.pod_address)
    read = [(frame, dissect(frame.data)) for frame in frames]
    return [
        (frame, packet)
        for frame, packet in read
        if packet and (packet.source, packet.destination) == wanted and packet.payload
    ]


def checks_of_pass(path: PodPath, seen: Observation) -> list[Check]:
    """The encapsulation and the routers of a pass."""
    name = path.encapsulation.name
    return [
        Check(
            "encapsulation of the frames that carried the messages, tapped on the underlay",
            f"{name} alone",
            ", ".join(f"{kind}: {count}" for kind, count in sorted(seen.arrived.items())) or "none",
            set(seen.arrived) == {name},
        ),
        equal(
            "routers passed, by the outer TTL",
            [len(path.topology.underlay.routers)],
            sorted(seen.routers),
        ),
    ]


def check_overhead(path: PodPath, seen: Observation, size: int, protocol: str) -> Check:
    """The bytes of a pass without offloads, over those delivered, beside what headers add up to."""
    expected = (
        expected_bytes(size, protocol, path.topology.pod_mtu, path.encapsulation.overhead) / size
    )
    observed = seen.length / (seen.messages * size)
    return Check(
        "bytes on the underlay over bytes delivered, every packet cut to the MTU",
        f"{expected:.4f} by the headers, within 1 %",
        f"{observed:.4f}",
        abs(observed / expected - 1) <= 0.01,
    )


def checks_of_counters(path: PodPath, moved: Carried, delivered: int) -> list[Check]:
    """What the devices counted during the samples, beside the bytes delivered in them."""
    device = path.encapsulation.device
    checks = [_at_least(f"{DEVICE} of {path.server.namespace.name}", moved.link, delivered)]
    if moved.tunnel:
        checks.append(
            _at_least(f"{device} of {path.server.namespace.name}", moved.tunnel, delivered)
        )
    return checks


def _at_least(where: str, counted: links.LinkCounters, delivered: int) -> Check:
    return Check(
        f"bytes that {where} received during the samples",
        f"at least the {delivered} delivered",
        f"{counted.bytes} in {counted.packets} packets",
        counted.bytes >= delivered,
    )
