"""Reading a frame of the underlay: what is around the packet, and the packet.

Formats: RFC 791 (IPv4), 768 (UDP), 9293 (TCP), 7348 (VXLAN), 2003 (IP in IP), 2784 (GRE), 8926
(Geneve).
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

_ETHERNET = 14
_IPV4 = 0x0800
_TCP, _UDP, _IPIP, _GRE = 6, 17, 4, 47
# flannel's and the kernel's VXLAN port, IANA's, Geneve's, and WireGuard's usual one.
_UDP_TUNNELS = {8472: "vxlan", 4789: "vxlan", 6081: "geneve", 51820: "wireguard"}
_GENEVE_FIXED = 8
# The type of a WireGuard message that carries a packet, and what is around the packet in it.
_WIREGUARD_DATA, _WIREGUARD_AROUND = 4, 32
_GRE_FLAGGED = (0x8000, 0x2000, 0x1000)


@dataclass(frozen=True)
class Packet:
    """What a frame carries.

    Attributes:
        encapsulation: ``plain``, ``vxlan``, ``ipip``, ``gre``, ``geneve`` or ``wireguard``.
        ttl: of the outermost header.
        source: address of the innermost packet.
        destination: likewise.
        protocol: of the innermost packet, as IPv4 numbers them.
        payload: bytes that an application sent; where it is sealed, bytes of the packet inside.
    """

    encapsulation: str
    ttl: int
    source: str
    destination: str
    protocol: int
    payload: int


@dataclass(frozen=True)
class _Header:
    ttl: int
    protocol: int
    source: str
    destination: str
    body: bytes
    length: int
    first_fragment: bool


def dissect(frame: bytes) -> Packet | None:
    """Read an Ethernet frame; None if it carries no IPv4, or less of it than its headers.

    The frame may be cut short behind its headers: lengths are taken from those.
    """
    try:
        outer = _after_ethernet(frame)
        if outer is None:
            return None
        name, inner = _open(outer)
        return Packet(
            name, outer.ttl, inner.source, inner.destination, inner.protocol, _payload(name, inner)
        )
    except (struct.error, IndexError):
        return None


def _after_ethernet(frame: bytes) -> _Header | None:
    (kind,) = struct.unpack_from("!H", frame, 12)
    return _ipv4(frame[_ETHERNET:]) if kind == _IPV4 else None


def _ipv4(packet: bytes) -> _Header:
    length, fragment = struct.unpack_from("!2xH2xH", packet)
    ttl, protocol = struct.unpack_from("!BB", packet, 8)
    header = (packet[0] & 0xF) * 4
    source, destination = struct.unpack_from("!4s4s", packet, 12)
    return _Header(
        ttl,
        protocol,
        socket.inet_ntoa(source),
        socket.inet_ntoa(destination),
        packet[header:],
        length - header,
        fragment & 0x1FFF == 0,
    )


def _open(outer: _Header) -> tuple[str, _Header]:
    if outer.protocol == _IPIP:
        return "ipip", _ipv4(outer.body)
    if outer.protocol == _GRE:
        (flags,) = struct.unpack_from("!H", outer.body)
        return "gre", _ipv4(outer.body[4 + 4 * sum(bool(flags & f) for f in _GRE_FLAGGED) :])
    if outer.protocol == _UDP and outer.first_fragment:
        (port,) = struct.unpack_from("!2xH", outer.body)
        name = _UDP_TUNNELS.get(port, "plain")
        skip = {"vxlan": 8, "geneve": _GENEVE_FIXED}.get(name)
        if skip is not None:
            options = (outer.body[8] & 0x3F) * 4 if name == "geneve" else 0
            inner = _after_ethernet(outer.body[8 + skip + options :])
            if inner is not None:
                return name, inner
        return name, outer
    return "plain", outer


def _sealed(outer: _Header) -> int:
    """Bytes of a packet that a WireGuard message has inside: none in a handshake or keepalive."""
    return max(outer.length - 8 - _WIREGUARD_AROUND, 0) if outer.body[8] == _WIREGUARD_DATA else 0


def _payload(name: str, inner: _Header) -> int:
    if name == "wireguard":
        return _sealed(inner)
    if not inner.first_fragment:
        return inner.length
    if inner.protocol == _UDP:
        return inner.length - 8
    if inner.protocol == _TCP:
        return inner.length - (inner.body[12] >> 4) * 4
    return inner.length


def expected_bytes(size: int, protocol: str, mtu: int, overhead: int, padded_to: int = 1) -> int:
    """Bytes on the underlay for one message of ``size`` bytes, Ethernet headers included.

    Args:
        size: of the message, which is not merged with others.
        protocol: ``tcp`` (with timestamps, which Linux sends by default) or ``udp``.
        mtu: of the sender's device.
        overhead: bytes that the encapsulation adds to each packet.
        padded_to: what it pads each packet to a multiple of first, the MTU at most.
    """
    if protocol == "tcp":
        headers, body = 20 + 20 + 12, size
        most = mtu - headers
    else:
        headers, body = 20, size + 8
        # Every fragment but the last carries a multiple of eight bytes.
        most = mtu - 20 if body <= mtu - 20 else (mtu - 20) // 8 * 8

    def on_the_underlay(part: int) -> int:
        padded = -(-(headers + part) // padded_to) * padded_to
        return min(padded, mtu) + overhead + _ETHERNET

    full, rest = divmod(body, most)
    return full * on_the_underlay(most) + (on_the_underlay(rest) if rest else 0)
