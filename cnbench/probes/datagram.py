"""Questions by UDP, each from a socket of its own, and their answers, as a resolver asks them."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence

from cnbench.core.errors import CnbenchError
from cnbench.lab.clock import Clock
from cnbench.lab.netns import NetworkNamespace
from cnbench.probes.first_packet import (
    Address,
    FirstPackets,
    Reply,
    address_of,
    family_of,
)
from cnbench.probes.listeners import first_ready, listening

_QUESTION = b"question"
_ROOM = 64
# As TCP does with a SYN: asked again after a second, and given up after five.
_AGAIN_SECONDS = 1
_AGAIN_AFTER = struct.pack("ll", _AGAIN_SECONDS, 0)
_MOST_TIMES = 5
_IPV6_FREEBIND = 78  # linux/in6.h
_IP_PKTINFO = 8  # linux/in.h; the socket module names it from Python 3.14 on
# struct in_pktinfo: the interface, the address to answer from, and the one the packet was sent to.
_PACKET_INFO = struct.Struct("=i4s4s")
# struct in6_pktinfo: the address, to answer from or sent to, and the interface.
_PACKET_INFO6 = struct.Struct("=16si")
_ANCILLARY_ROOM = socket.CMSG_SPACE(_PACKET_INFO6.size)


class Asker(FirstPackets):
    """Asks and answers. Use ``open_asker``."""

    def __init__(
        self,
        client: NetworkNamespace,
        servers: Sequence[socket.socket],
        sources: Sequence[str],
        clock: Clock,
    ) -> None:
        super().__init__(client, sources, clock)
        self._servers = servers

    def _socket(self) -> socket.socket:
        client = socket.socket(self.family, socket.SOCK_DGRAM)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _AGAIN_AFTER)
        return client

    def _begin(self, client: socket.socket, target: Address) -> Reply:
        source = address_of(client.getsockname())
        try:
            client.connect(target)
            began = self._clock.ticks()
            answered_by, seen_from = self._ask(client)
            client.recv(_ROOM)
            took = self._clock.ticks() - began
        except OSError as error:
            raise CnbenchError(f"no answer from {target} to {source}: {error.strerror}") from error
        return Reply(target, answered_by, seen_from, took)

    def _ask(self, client: socket.socket) -> tuple[Address, Address]:
        """Ask until it is heard; who was asked, and from where, as the server sees it."""
        for _ in range(_MOST_TIMES):
            client.send(_QUESTION)
            with contextlib.suppress(BlockingIOError):
                return self._answer()
        raise TimeoutError(0, f"nothing arrived in {_MOST_TIMES} s")

    def _answer(self) -> tuple[Address, Address]:
        server = first_ready(self._servers, _AGAIN_SECONDS)
        question, ancillary, _, sender = server.recvmsg(_ROOM, _ANCILLARY_ROOM)
        ((_, _, info),) = ancillary
        asked, answer_from = _turned(info)
        server.sendmsg([question], [answer_from], 0, sender)
        asked_port = server.getsockname()[1]
        return Address(socket.inet_ntop(self.family, asked), asked_port), address_of(sender)


def _turned(info: bytes) -> tuple[bytes, tuple[int, int, bytes]]:
    """The address that a question was sent to, and what has its answer come from there."""
    if len(info) == _PACKET_INFO6.size:
        asked, _ = _PACKET_INFO6.unpack(info)
        return asked, (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, _PACKET_INFO6.pack(asked, 0))
    _, _, asked = _PACKET_INFO.unpack(info)
    return asked, (socket.IPPROTO_IP, _IP_PKTINFO, _PACKET_INFO.pack(0, asked, bytes(4)))


@contextlib.contextmanager
def open_asker(
    client: NetworkNamespace,
    server: NetworkNamespace,
    ports: Iterable[int],
    sources: Sequence[str],
    clock: Clock,
) -> Iterator[Asker]:
    """Asks from ``sources`` in ``client`` at ``ports`` on every address of ``server``."""
    family = family_of(sources[0])
    with listening(server, socket.SOCK_DGRAM, family, ports) as servers:
        for opened in servers:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _AGAIN_AFTER)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
                # IPv6 does not take an address that is local by a route alone for an answer's.
                opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
            else:
                opened.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        yield Asker(client, servers, sources, clock)
