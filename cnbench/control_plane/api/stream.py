"""A connection that says when the kernel got each piece, however late it is read.

One Python process that follows a thousand connections reads the last of them milliseconds after
the first. What is measured is the server, so the time of a piece is the one at which the kernel
put it into the socket (SO_TIMESTAMPNS, socket(7); for TCP, that of the last segment of what is
read at once, so a time is never too early).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from cnbench.control_plane.api.pace import UNBOUND, Pace
from cnbench.core.errors import CnbenchError
from cnbench.lab.netns import NetworkNamespace
from cnbench.lab.waiting import wait_until

# asm-generic/socket.h; Python does not name it.
_SO_TIMESTAMPNS = 35
_TIME = struct.Struct("=qq")
_PIECE = 1 << 16
_PATIENCE = 10.0
_A_MOMENT = 0.002
# RST instead of FIN, as when the machine of a client is gone: linger(on, 0 s) of socket(7).
_CUT = struct.pack("ii", 1, 0)


class Stream:
    """Bytes as they are on the wire. Use ``open_stream``.

    Attributes:
        head: lines that every request has: whom it is for, and who asks.
        pace: that requests keep.
    """

    def __init__(self, connection: socket.socket, head: str, pace: Pace) -> None:
        self._socket = connection
        self.head = head
        self._pace = pace

    def fileno(self) -> int:
        """The descriptor to wait at."""
        return self._socket.fileno()

    def begin(self) -> None:
        """Have the kernel say when pieces come; raises CnbenchError where nobody is there."""
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.settimeout(None)

    def send(self, data: bytes) -> None:
        """Send a request, which is ``data``; raises CnbenchError where the server is gone."""
        self._pace.wait()
        self._write(data)

    def receive(self) -> Iterator[tuple[bytes, int]]:
        """What has come, and when the kernel got it (ns of CLOCK_REALTIME); does not wait.

        Raises:
            CnbenchError: the server has closed the connection.
        """
        while True:
            try:
                data, told, _, _ = self._socket.recvmsg(_PIECE, 64, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError as error:
                raise CnbenchError(f"a connection broke: {error.strerror}") from error
            if not data:
                raise CnbenchError("the server closed a connection")
            if read := self._read(data):
                yield read, _arrival(told)

    def cut(self) -> None:
        """Break the connection: the server is not told in order."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CUT)
        self._socket.close()

    def _write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise CnbenchError(f"the server is gone: {error.strerror}") from error

    def _read(self, data: bytes) -> bytes:
        """What ``data`` of the wire adds to what the server says."""
        return data


class TlsStream(Stream):
    """Bytes over TLS. Use ``open_stream``."""

    def __init__(
        self, connection: socket.socket, head: str, pace: Pace, context: ssl.SSLContext, host: str
    ) -> None:
        super().__init__(connection, head, pace)
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._coming, self._going, server_hostname=host)

    def begin(self) -> None:
        """Begin TLS; raises CnbenchError where the server is somebody else."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._coming.write(self._socket.recv(_PIECE))
            except ssl.SSLError as error:
                raise CnbenchError(f"no TLS with the server: {error}") from error
            else:
                break
        self._flush()
        super().begin()

    def _write(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def _read(self, data: bytes) -> bytes:
        self._coming.write(data)
        pieces = []
        try:
            while piece := self._tls.read(_PIECE):
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            raise CnbenchError(f"a connection ended within TLS: {error}") from error
        return b"".join(pieces)

    def _flush(self) -> None:
        super()._write(self._going.read())


@contextlib.contextmanager
def stamping(network: NetworkNamespace | None = None) -> Iterator[None]:
    """Have the kernel note when packets come, as long as this is open; here, or in ``network``.

    It begins some time after it is asked for first (net_enable_timestamp of net/core/dev.c leaves
    it to a worker), and ends with the last socket that wants it.

    Raises:
        CnbenchError: it does not begin.
    """
    with network.entered() if network else contextlib.nullcontext():
        own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with own:
        own.bind(("127.0.0.1", 0))
        own.settimeout(_PATIENCE)
        own.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

        def stamped() -> bool:
            sent = time.time_ns()
            time.sleep(_A_MOMENT)
            own.sendto(b"stamped?", own.getsockname())
            time.sleep(_A_MOMENT)
            _, told, _, _ = own.recvmsg(64, 64)
            # Without a stamp of its own, a datagram is given the time at which it is read.
            return sent + _A_MOMENT * 1e9 <= _arrival(told) < time.time_ns() - _A_MOMENT * 0.5e9

        wait_until(stamped, "the kernel does not note when packets come", within=_PATIENCE)
        yield


def _arrival(told: list[tuple[int, int, bytes]]) -> int:
    for level, kind, content in told:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, rest = _TIME.unpack_from(content)
            return int(seconds) * 1_000_000_000 + int(rest)
    raise CnbenchError("the kernel did not say when a piece came")


@contextlib.contextmanager
def open_stream(
    connection: socket.socket,
    context: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    headers: Mapping[str, str] = MappingProxyType({}),
    pace: Pace = UNBOUND,
) -> Iterator[Stream]:
    """A stream over ``connection``, which is cut on leaving.

    Args:
        connection: to the server.
        context: for TLS, where there is to be any.
        host: the server's name or address.
        headers: that every request has beside that.
        pace: that requests keep.

    Raises:
        CnbenchError: the server is somebody else.
    """
    head = "".join(f"{name}: {value}\r\n" for name, value in {"Host": host, **headers}.items())
    stream = (
        TlsStream(connection, head, pace, context, host)
        if context
        else Stream(connection, head, pace)
    )
    try:
        stream.begin()
        yield stream
    finally:
        stream.cut()
