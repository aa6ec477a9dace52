"""A tap on a device: every frame that passes, as a packet socket sees it (packet(7))."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from cnbench.lab.netns import NetworkNamespace

_EVERYTHING = 0x0003
_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35
_ROOM = 32 << 20
# Headers and the first bytes are all that is looked at.
SNAP = 256


@dataclass(frozen=True)
class Frame:
    """A frame that passed.

    Attributes:
        seconds: when, in whole seconds since 1970.
        nanoseconds: and the rest.
        length: of the whole frame.
        data: its first ``SNAP`` bytes.
    """

    seconds: int
    nanoseconds: int
    length: int
    data: bytes


class Tap:
    """Frames of one device since it was opened. Use ``open_tap``."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener

    def frames(self) -> Iterator[Frame]:
        """The frames that have passed and were not read yet, in their order."""
        while True:
            try:
                yield self._next()
            except BlockingIOError:
                return

    def _next(self) -> Frame:
        buffer = bytearray(SNAP)
        # With MSG_TRUNC the length is the frame's, however little of it was asked for.
        length, ancillary, _, _ = self._listener.recvmsg_into([buffer], 64, socket.MSG_TRUNC)
        stamp = next(data for _, kind, data in ancillary if kind == _SO_TIMESTAMPNS)
        seconds, nanoseconds = struct.unpack("ll", stamp[:16])
        return Frame(seconds, nanoseconds, length, bytes(buffer[: min(length, SNAP)]))


@contextlib.contextmanager
def open_tap(namespace: NetworkNamespace, device: str) -> Iterator[Tap]:
    """A tap on ``device``; it takes CPU time, so nothing is timed meanwhile."""
    with namespace.entered():
        listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    with listener:
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ROOM)
        listener.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        listener.bind((device, _EVERYTHING))
        yield Tap(listener)
