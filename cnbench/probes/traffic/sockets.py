"""The sockets at both ends of a loop."""

from __future__ import annotations

import errno
import itertools
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from cnbench.lab.netns import NetworkNamespace

# The kernel's default. A machine whose own is BBR would pace, so that timers would be measured.
CONGESTION_CONTROL = "cubic"
# A whole message must fit in the sender's buffer: the thread that would make room is busy sending.
_SEND_BUFFER = 1 << 20
_SO_SNDBUFFORCE = 32
_GREETING_PATIENCE = 5.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
# The client's, each used once before any is used again, whatever the traffic: by then conntrack has
# forgotten the connection before. Above the well-known ones, and below what the kernel gives out.
_SOURCE_PORTS = itertools.cycle(range(1024, 32768))

Pair = tuple[socket.socket, socket.socket]


@dataclass(frozen=True)
class End:
    """Where traffic begins or ends.

    Attributes:
        namespace: where its socket is.
        address: the socket's own.
        known_as: the address that others reach it by, where that is translated.
        known_port: the port that others reach it by, where that is translated.
    """

    namespace: NetworkNamespace
    address: str
    known_as: str = ""
    known_port: int = 0

    def target(self, port: int) -> tuple[str, int]:
        """Where to send what is for the socket on ``port``."""
        return self.known_as or self.address, self.known_port or port


def tcp_pairs(stack: ExitStack, client: End, server: End, port: int, count: int) -> Iterator[Pair]:
    """``count`` connections to one port of the server: the client's end and the server's."""
    with tcp_listener(server, port) as listener:
        listener.settimeout(_GREETING_PATIENCE)
        for _ in range(count):
            near = stack.enter_context(_bound(client, socket.SOCK_STREAM))
            reset_on_close(near)
            near.settimeout(_GREETING_PATIENCE)
            near.connect(server.target(port))
            far = stack.enter_context(listener.accept()[0])
            for end in (near, far):
                end.settimeout(None)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                use_congestion_control(end)
                end.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _SEND_BUFFER)
            yield near, far


def udp_pairs(stack: ExitStack, client: End, server: End, port: int, count: int) -> Iterator[Pair]:
    """``count`` pairs of sockets, each connected to its other; the server's share one port."""
    for _ in range(count):
        near = stack.enter_context(_bound(client, socket.SOCK_DGRAM))
        far = stack.enter_context(_udp_server(server, port))
        for end in (near, far):
            end.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _SEND_BUFFER)
            give_up_after(_GREETING_PATIENCE, end)
        near.connect(server.target(port))
        # Only now does the server know who sends, if an address is translated on the way. Those
        # that are connected already get nothing from strangers.
        near.send(b"")
        far.connect(far.recvfrom(0)[1])
        yield near, far


def _bound(client: End, kind: socket.SocketKind) -> socket.socket:
    """A socket of the client's, with the next source port that nobody there has."""
    with client.namespace.entered():
        made = socket.socket(socket.AF_INET, kind)
    for port in _SOURCE_PORTS:
        try:
            made.bind((client.address, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                made.close()
                raise
        else:
            break
    return made


def _udp_server(server: End, port: int) -> socket.socket:
    with server.namespace.entered():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((server.address, port))
    return made


def tcp_listener(server: End, port: int) -> socket.socket:
    """A socket that waits for connections at ``server``."""
    with server.namespace.entered():
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # What is accepted inherits it.
    use_congestion_control(listener)
    listener.bind((server.address, port))
    listener.listen(16)
    return listener


def reset_on_close(end: socket.socket) -> None:
    """Leave no TIME_WAIT behind, of which there would soon be one a port."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)


def use_congestion_control(end: socket.socket) -> None:
    """Have TCP send by ``CONGESTION_CONTROL``, whatever the machine's default is."""
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, CONGESTION_CONTROL.encode())


def give_up_after(seconds: float, *ends: socket.socket) -> None:
    """Have the kernel keep the time: Python's own timeout costs a system call a message."""
    whole, rest = divmod(round(seconds * 1e6), 1_000_000)
    for end in ends:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            end.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", whole, rest))
