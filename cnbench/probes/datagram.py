"""Questions by UDP, each from a socket of its own, and their answers, as a resolver asks them."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator, Sequence

from cnbench.core.errors import CnbenchError
from cnbench.lab.clock import Clock
from cnbench.lab.netns import NetworkNamespace
from cnbench.probes.first_packet import Address, FirstPackets, Reply

_QUESTION = b"question"
_ROOM = 64
# As TCP does with a SYN: asked again after a second, and given up after five.
_AGAIN_AFTER = struct.pack("ll", 1, 0)
_MOST_TIMES = 5
_IP_PKTINFO = 8  # linux/in.h; the socket module names it from Python 3.14 on
# struct in_pktinfo: the interface, the address to answer from, and the one the packet was sent to.
_PACKET_INFO = struct.Struct("=i4s4s")
_ANCILLARY_ROOM = socket.CMSG_SPACE(_PACKET_INFO.size)


class Asker(FirstPackets):
    """Asks and answers. Use ``open_asker``."""

    def __init__(
        self,
        client: NetworkNamespace,
        server: socket.socket,
        sources: Sequence[str],
        clock: Clock,
    ) -> None:
        super().__init__(client, sources, clock)
        self._server = server

    def _socket(self) -> socket.socket:
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _AGAIN_AFTER)
        return client

    def _begin(self, client: socket.socket, target: Address) -> Reply:
        source = Address(*client.getsockname())
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
        question, ancillary, _, sender = self._server.recvmsg(_ROOM, _ANCILLARY_ROOM)
        ((_, _, info),) = ancillary
        _, _, asked = _PACKET_INFO.unpack(info)
        answer_from = _PACKET_INFO.pack(0, asked, bytes(4))
        self._server.sendmsg([question], [(socket.IPPROTO_IP, _IP_PKTINFO, answer_from)], 0, sender)
        asked_port = self._server.getsockname()[1]
        return Address(socket.inet_ntoa(asked), asked_port), Address(*sender)


@contextlib.contextmanager
def open_asker(
    client: NetworkNamespace,
    server: NetworkNamespace,
    port: int,
    sources: Sequence[str],
    clock: Clock,
) -> Iterator[Asker]:
    """Asks from ``sources`` in ``client`` at ``port`` on every address of ``server``."""
    with server.entered():
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _AGAIN_AFTER)
        listening.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        listening.bind(("0.0.0.0", port))  # noqa: S104  inside a namespace of the run's own
        yield Asker(client, listening, sources, clock)
