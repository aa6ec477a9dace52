"""What taps on the underlay see of messages, and what that proves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from cnbench.core.proof import Check, equal
from cnbench.experiments.pod_network.path import PodPath
from cnbench.network.underlay import DEVICE
from cnbench.probes.packets import Packet, dissect, expected_bytes
from cnbench.probes.tap import Frame, open_tap
from cnbench.probes.traffic import Loop

# How much the proof's own pass sends: some hundreds of full packets.
_PROOF_BYTES = 1 << 20
_FEWEST, _MOST = 20, 200


@dataclass
class Observation:
    """What taps on both nodes saw of the messages from client to server.

    Attributes:
        messages: how many were exchanged.
        arrived: frames at the server's node by encapsulation.
        payload: bytes in them that an application sent.
        length: bytes of the frames that carried those.
        routers: by how much the outermost TTL was less on arrival; one number where all agree.
        frames: those at the server's node, answers included.
    """

    messages: int
    arrived: Counter[str] = field(default_factory=Counter)
    payload: int = 0
    length: int = 0
    routers: set[int] = field(default_factory=set)
    frames: list[Frame] = field(default_factory=list)


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
            seen.frames += frames
            for frame, packet in _ours(path, frames):
                seen.arrived[packet.encapsulation] += 1
                seen.payload += packet.payload
                seen.length += frame.length
                seen.routers |= {ttl - packet.ttl for ttl in sent}
    return seen


def _ours(path: PodPath, frames: list[Frame]) -> list[tuple[Frame, Packet]]:
    """The frames that carry data from client to server."""
    wanted = (path.client.pod_address, path.server.pod_address)
    if path.encapsulation.opaque:
        wanted = (path.client.address, path.server.address)
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


def check_overhead(
    path: PodPath, when: str, carried: int, delivered: int, size: int, protocol: str
) -> Check:
    """The bytes carried without offloads over those delivered, beside what headers add up to.

    Args:
        path: that carried them.
        when: the claim's last words.
        carried: bytes on the underlay, Ethernet headers included.
        delivered: bytes of all messages.
        size: bytes of one message.
        protocol: ``tcp`` or ``udp``.
    """
    around = path.encapsulation
    expected = (
        expected_bytes(
            size, protocol, path.topology.pod_mtu, around.overhead, padded_to=around.padded_to
        )
        / size
    )
    observed = carried / delivered
    return Check(
        f"bytes on the underlay over bytes delivered, {when}",
        f"{expected:.4f} by the headers, within 1 %",
        f"{observed:.4f}",
        abs(observed / expected - 1) <= 0.01,
    )
