"""Passing on what two processes say to each other, and noting when calls were unanswered.

The times are those at which a request's first bytes, and its answer's last, came to the relay. No
header is looked into: over HTTP/1 a connection has one call at a time, and over HTTP/2 each frame
says which stream it is of and whether it is that side's last (RFC 9113, sections 4.1 and 6).
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET = 0, 1, 3
_END_STREAM = 0x1
_FRAME = 9
Calls = list[tuple[int, int]]


class Listener(Protocol):
    """Understands one connection."""

    def asked(self, data: bytes, now: int) -> None:
        """Take what the client said."""

    def answered(self, data: bytes, now: int) -> None:
        """Take what the server said."""

    def calls(self) -> Calls:
        """Beginning and end of each call that was answered."""


class Http1:
    """One call after another: a request's bytes end the call before it."""

    def __init__(self) -> None:
        self._done: Calls = []
        self._began = self._ended = 0

    def asked(self, data: bytes, now: int) -> None:
        """Take what the client said."""
        if self._ended:
            self._done.append((self._began, self._ended))
        if self._ended or not self._began:
            self._began, self._ended = now, 0

    def answered(self, data: bytes, now: int) -> None:
        """Take what the server said."""
        self._ended = now

    def calls(self) -> Calls:
        """Beginning and end of each call that was answered."""
        return [*self._done, *([(self._began, self._ended)] if self._ended else [])]


class Http2:
    """Calls beside each other, a stream each."""

    def __init__(self) -> None:
        self._done: Calls = []
        self._open: dict[int, int] = {}
        self._said = {"client": bytearray(), "server": bytearray()}
        self._greeted = False

    def asked(self, data: bytes, now: int) -> None:
        """Take what the client said."""
        said = self._said["client"]
        said += data
        if not self._greeted and len(said) >= len(_PREFACE):
            del said[: len(_PREFACE)]
            self._greeted = True
        for kind, _, stream in self._frames(said) if self._greeted else ():
            if kind == _HEADERS:
                self._open.setdefault(stream, now)

    def answered(self, data: bytes, now: int) -> None:
        """Take what the server said."""
        said = self._said["server"]
        said += data
        for kind, flags, stream in self._frames(said):
            last = kind == _RESET or (kind in (_DATA, _HEADERS) and flags & _END_STREAM)
            if last and stream in self._open:
                self._done.append((self._open.pop(stream), now))

    def calls(self) -> Calls:
        """Beginning and end of each call that was answered."""
        return list(self._done)

    @staticmethod
    def _frames(said: bytearray) -> Iterator[tuple[int, int, int]]:
        """Type, flags and stream of each whole frame, which is taken away."""
        while len(said) >= _FRAME:
            size = _FRAME + int.from_bytes(said[:3], "big")
            if len(said) < size:
                return
            kind, flags = said[3], said[4]
            stream = int.from_bytes(said[5:9], "big") & 0x7FFFFFFF
            del said[:size]
            yield kind, flags, stream


@dataclass
class Relay:
    """Use ``open_relay``."""

    _listeners: list[Listener] = field(default_factory=list)

    def calls(self, since: int, until: int) -> Calls:
        """Those that began and were answered within that time, in ns of CLOCK_MONOTONIC."""
        found = [call for listener in list(self._listeners) for call in listener.calls()]
        return sorted(call for call in found if since <= call[0] and call[1] <= until)


@contextlib.contextmanager
def open_relay(at: Path, to: Path, understand: Callable[[], Listener]) -> Iterator[Relay]:
    """Pass on to the socket ``to`` whatever is said at ``at``, until leaving."""
    relay = Relay()
    connections: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(at))
        server.listen()

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = server.accept()
                    upstream = socket.socket(socket.AF_UNIX)
                    upstream.connect(str(to))
                    connections.extend((client, upstream))
                    listener = understand()
                    relay._listeners.append(listener)
                    _start(_pass_on, client, upstream, listener.asked)
                    _start(_pass_on, upstream, client, listener.answered)

        _start(accept)
        try:
            yield relay
        finally:
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()


def _start(target: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=target, args=arguments, daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket, take: Callable[[bytes, int], None]) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(1 << 16):
            take(data, time.perf_counter_ns())
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
