"""What one message is, by the kind of traffic.

A stream's goes one way; rr answers each with one of the same size; crr has a TCP connection for
each, which is reset afterwards.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable
from contextlib import ExitStack

from cnbench.core.errors import CnbenchError
from cnbench.probes.traffic.sockets import (
    End,
    give_up_after,
    reset_on_close,
    tcp_listener,
    tcp_pairs,
    udp_pairs,
    use_congestion_control,
)

TRAFFIC_KINDS = ("tcp-stream", "udp-stream", "tcp-rr", "udp-rr", "tcp-crr")

Exchange = Callable[[], None]


def answered(traffic: str) -> bool:
    """Whether each message of ``traffic`` has an answer."""
    return not traffic.endswith("-stream")


def open_exchanges(
    stack: ExitStack,
    traffic: str,
    ends: tuple[End, End],
    port: int,
    *,
    size: int,
    flows: int,
    patience: float,
) -> list[Exchange]:
    """One way to exchange a message for each flow; arguments as ``Traffic`` has them.

    Raises:
        OSError: the server cannot be reached.
    """
    if traffic == "tcp-crr":
        return [_connection_each(stack, *ends, port, size, patience)]
    pairs = (tcp_pairs if traffic.startswith("tcp") else udp_pairs)(stack, *ends, port, flows)
    exchange = _ask if answered(traffic) else _send
    exchanges: list[Exchange] = []
    for near, far in pairs:
        give_up_after(patience, near, far)
        exchanges.append(functools.partial(exchange, near, far, _Message(size)))
    return exchanges


@functools.cache
def _buffers(size: int) -> tuple[bytes, memoryview]:
    """What is sent and where it is received, the same for all messages of ``size`` bytes.

    Which physical pages a buffer gets decides how well it fits the processor's caches. With buffers
    of their own, two set-ups of the same thing differed by up to 2.5 % for as long as they lived;
    with these by up to 0.9 % (eight set-ups, 64 KiB, interleaved).
    """
    return bytes(size), memoryview(bytearray(size))


class _Message:
    """What is sent, and where it is received."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.sent, self.received = _buffers(size)

    def pass_on(self, sender: socket.socket, receiver: socket.socket) -> None:
        sender.sendall(self.sent)
        if receiver.recv_into(self.received, self.size, socket.MSG_WAITALL) != self.size:
            raise CnbenchError("a message arrived in part")


def _send(near: socket.socket, far: socket.socket, message: _Message) -> None:
    message.pass_on(near, far)


def _ask(near: socket.socket, far: socket.socket, message: _Message) -> None:
    message.pass_on(near, far)
    message.pass_on(far, near)


def _connection_each(
    stack: ExitStack, client: End, server: End, port: int, size: int, patience: float
) -> Exchange:
    listener = stack.enter_context(tcp_listener(server, port))
    give_up_after(patience, listener)
    target = server.target(port)
    message = _Message(size)

    def exchange() -> None:
        # Where the thread is: the loop has it in the client's namespace.
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as near:
            reset_on_close(near)
            use_congestion_control(near)
            give_up_after(patience, near)
            near.connect(target)
            far, _ = listener.accept()
            with far:
                _ask(near, far, message)
                near.close()

    return exchange
