"""JSON lines to and from a guest, or QEMU's own monitor, over a socket."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Sequence
from typing import Any

from cnbench.lab.guest.errors import GuestError

Message = dict[str, Any]

_READ = 1 << 16
_LONGEST_QUOTE = 200


class Closed(GuestError):  # noqa: N818  it is what happened to the channel
    """The other end has gone."""


class Silent(GuestError):  # noqa: N818  it is what the other end is
    """The other end said nothing in time."""


class Channel:
    """One end of a stream of JSON objects, one a line."""

    def __init__(self, end: socket.socket, peer: str) -> None:
        self._socket = end
        self._peer = peer
        self._read = b""

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Send one message, with file descriptors where the peer (QEMU's monitor) takes them.

        Raises:
            Closed: the peer has gone.
        """
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            if descriptors:
                socket.send_fds(self._socket, [line], list(descriptors))
            else:
                self._socket.sendall(line)
        except (BrokenPipeError, ConnectionResetError):
            raise Closed(f"{self._peer} has gone") from None

    def receive(self, timeout: float) -> Message:
        """The next message, waiting for at most ``timeout`` seconds.

        Raises:
            Silent: none came in time.
            Closed: the peer has gone.
            GuestError: what came is not a JSON object.
        """
        deadline = time.monotonic() + timeout
        while not (line := self._take_line()):
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._socket], [], [], left)[0]:
                raise Silent(f"{self._peer} said nothing for {timeout:.0f} s")
            self._read += self._receive_some()
        return self._decode(line)

    def _receive_some(self) -> bytes:
        try:
            received = self._socket.recv(_READ)
        except ConnectionResetError:
            received = b""
        if not received:
            raise Closed(f"{self._peer} has gone")
        return received

    def _take_line(self) -> bytes:
        """The first line read so far that is not blank; empty if none is complete."""
        while b"\n" in self._read:
            line, self._read = self._read.split(b"\n", 1)
            if line.strip():
                return line
        return b""

    def _decode(self, line: bytes) -> Message:
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            quote = line[:_LONGEST_QUOTE].decode(errors="replace")
            raise GuestError(f"{self._peer} said something that is not JSON: {quote!r}")
        return message
