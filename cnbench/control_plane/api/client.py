"""Requests to an API server, or to etcd, one after another over one connection."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from cnbench.control_plane.api.pace import UNBOUND, Pace
from cnbench.core.errors import CnbenchError
from cnbench.lab.netns import NetworkNamespace

JSON, PROTOBUF = "application/json", "application/vnd.kubernetes.protobuf"
_SECONDS = 120.0
_CHUNK = 1 << 20
# The last line of an answer without an end is no longer.
_TAIL = 1 << 12
_MESSAGE_BYTES = 300
_NO_SUCCESS = 300
_clock = time.perf_counter_ns


@dataclass(frozen=True)
class Reply:
    """What the server said.

    Attributes:
        status: the HTTP status.
        body: as it came.
        began: when the request was made, in ns.
        ended: when the last of the body was read.
        headers: by name in lower case.
    """

    status: int
    body: bytes
    began: int
    ended: int
    headers: Mapping[str, str]

    @property
    def took(self) -> int:
        """Nanoseconds from request to the last byte."""
        return self.ended - self.began

    def said(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)

    def demanded(self, what: str) -> Reply:
        """This reply to ``what``; raises RefusedError where the status is none of success."""
        if self.status >= _NO_SUCCESS:
            raise RefusedError(what, self)
        return self


class RefusedError(CnbenchError):
    """The server refused a request; ``status`` is HTTP's."""

    def __init__(self, what: str, reply: Reply) -> None:
        words = reply.body[:_MESSAGE_BYTES].decode(errors="replace").strip()
        super().__init__(f"the server answers {reply.status} to {what}: {words}")
        self.status = reply.status


class Client:
    """A connection that is kept. Use ``open_client``, and close it."""

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        pace: Pace = UNBOUND,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._connection = connection
        self._pace = pace
        self._headers = headers
        self._buffer = bytearray(_CHUNK)
        self._shut = False

    def ask(
        self,
        method: str,
        path: str,
        body: object | None = None,
        *,
        accept: str = JSON,
        content: str = JSON,
    ) -> Reply:
        """Make a request and read all of its answer, whatever its status.

        Raises:
            CnbenchError: the server does not answer.
        """
        headers = {"Accept": accept, "Accept-Encoding": "identity", **self._headers}
        given = None
        if body is not None:
            given = json.dumps(body).encode()
            headers["Content-Type"] = content
        self._pace.wait()
        began = _clock()
        try:
            self._connection.request(method, path, given, headers)
            response = self._connection.getresponse()
            read = self._read(response)
        except (OSError, http.client.HTTPException) as error:
            raise CnbenchError(f"the server does not answer {path}: {error!r}") from error
        ended = _clock()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, read, began, ended, named)

    def get(self, path: str) -> Any:
        """The object at ``path``; raises RefusedError."""
        return self.demand("GET", path).said()

    def demand(
        self, method: str, path: str, body: object | None = None, *, content: str = JSON
    ) -> Reply:
        """As ``ask``; raises RefusedError where the status is none of success."""
        return self.ask(method, path, body, content=content).demanded(f"{method} {path}")

    def read_until(self, path: str, mark: bytes) -> Reply:
        """What the server says to GET ``path`` up to the line with ``mark``, and no further.

        The answer has no end, so the connection is closed.

        Raises:
            CnbenchError: the server does not answer, or ends without it.
        """
        self._pace.wait()
        began = _clock()
        whole = bytearray()
        try:
            self._connection.request("GET", path, headers={"Accept": JSON, **self._headers})
            response = self._connection.getresponse()
            while mark not in whole[-_TAIL:] and (piece := response.readline()):
                whole += piece
        except (OSError, http.client.HTTPException) as error:
            raise CnbenchError(f"the server does not answer {path}: {error!r}") from error
        finally:
            self.close()
        reply = Reply(response.status, bytes(whole), began, _clock(), {})
        if mark not in whole[-_TAIL:]:
            raise RefusedError(f"GET {path}", reply)
        return reply

    def lines(self, path: str) -> Iterator[bytes]:
        """What the server says to GET ``path``, line by line, until it ends or this is shut.

        Raises:
            CnbenchError: the server refuses, or is gone.
        """
        self._pace.wait()
        try:
            self._connection.request("GET", path, headers={"Accept": JSON, **self._headers})
            response = self._connection.getresponse()
            if response.status >= _NO_SUCCESS:
                raise RefusedError(f"GET {path}", Reply(response.status, response.read(), 0, 0, {}))
            while (line := response.readline()).endswith(b"\n"):
                yield line
        except (OSError, http.client.HTTPException) as error:
            if not self._shut:
                raise CnbenchError(f"the server does not answer {path}: {error!r}") from error

    def shut(self) -> None:
        """End what another thread reads of ``lines``."""
        self._shut = True
        with contextlib.suppress(OSError):
            # Not TLS's own, which has the other thread read on as if there were none.
            socket.socket.shutdown(self._connection.sock, socket.SHUT_RDWR)

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        whole = bytearray()
        while count := response.readinto(self._buffer):
            whole += memoryview(self._buffer)[:count]
        return bytes(whole)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        """This client, which is closed on leaving."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


def connected(network: NetworkNamespace, port: int) -> socket.socket:
    """A connection to loopback in ``network``; raises CnbenchError where nobody listens."""
    try:
        with network.entered():
            opened = socket.create_connection(("127.0.0.1", port), timeout=_SECONDS)
    except OSError as error:
        raise CnbenchError(f"nobody listens on port {port}: {error.strerror}") from error
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def open_client(
    network: NetworkNamespace, port: int, context: ssl.SSLContext | None = None
) -> Client:
    """A client of the server on ``port`` in ``network``, over TLS where there is a ``context``.

    Raises:
        CnbenchError: nobody listens, or it is somebody else.
    """
    opened = connected(network, port)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    connection.sock = opened
    connection.auto_open = 0  # a new one would be made outside of the namespace, without TLS
    if context:
        try:
            connection.sock = context.wrap_socket(opened, server_hostname="127.0.0.1")
        except OSError as error:
            opened.close()
            raise CnbenchError(f"no TLS with port {port}: {error}") from error
    return Client(connection)
