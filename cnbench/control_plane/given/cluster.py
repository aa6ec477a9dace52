"""The cluster that a run was given: the way to its API server, and what it may do there."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

from cnbench.control_plane.api.client import Client
from cnbench.control_plane.api.pace import Pace
from cnbench.control_plane.api.stream import Stream, open_stream
from cnbench.control_plane.given.kubeconfig import Given
from cnbench.core.errors import CnbenchError, UnsupportedError

CLUSTER = "cluster"
OPTION, OBJECTS, REQUESTS = "--kubeconfig", "--objects-at-most", "--requests-at-most"
_SECONDS = 60.0


@dataclass(frozen=True)
class GivenCluster:
    """A cluster of the user's, and bounds that are kept there.

    Attributes:
        given: where it is, and who asks.
        objects: how many there may be of ours at a time.
        pace: of all requests together.
    """

    given: Given
    objects: int
    pace: Pace
    _held: list[int] = field(default_factory=list)

    @contextlib.contextmanager
    def room(self, objects: int) -> Iterator[None]:
        """Room for so many objects; raises UnsupportedError where the bound leaves none."""
        if sum(self._held) + objects > self.objects:
            raise UnsupportedError(
                f"{sum(self._held)} and {objects} objects are more than the {self.objects} allowed",
                f"allow more: {OBJECTS} N",
            )
        self._held.append(objects)
        try:
            yield
        finally:
            self._held.remove(objects)

    def connection(self) -> socket.socket:
        """A connection, without TLS yet; raises CnbenchError."""
        where = (self.given.host, self.given.port)
        try:
            opened = socket.create_connection(where, timeout=_SECONDS)
        except OSError as error:
            raise CnbenchError(f"the cluster is not there: {error.strerror or error}") from error
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def client(self) -> Client:
        """A connection for one request after another; raises CnbenchError."""
        opened = self.connection()
        connection = http.client.HTTPConnection(self.given.host, self.given.port)
        try:
            name = self.given.host
            connection.sock = self.given.context.wrap_socket(opened, server_hostname=name)
        except OSError as error:
            opened.close()
            raise CnbenchError(f"no TLS with the cluster: {error}") from error
        connection.auto_open = 0
        return Client(connection, self.pace, self._headers())

    @contextlib.contextmanager
    def stream(self) -> Iterator[Stream]:
        """A connection whose pieces have the kernel's times; raises CnbenchError."""
        opened = open_stream(
            self.connection(), self.given.context, self.given.host, self._headers(), self.pace
        )
        with opened as stream:
            yield stream

    def version(self) -> str:
        """What its API server says that it is; raises CnbenchError."""
        with self.client() as client:
            said: str = client.get("/version")["gitVersion"]
        return said

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.given.token}"} if self.given.token else {}


_named: list[GivenCluster] = []


def name(cluster: GivenCluster) -> None:
    """Have this process's runs measure ``cluster`` where a point says so, and no other."""
    _named[:] = [cluster]


def forget() -> None:
    """Have no cluster be named."""
    _named.clear()


def named() -> GivenCluster:
    """The cluster that was named; raises UnsupportedError where none was."""
    if not _named:
        raise UnsupportedError("no cluster of your own is named", f"name one: {OPTION} FILE")
    return _named[0]


def identity() -> dict[str, str]:
    """What the named cluster is, for a fingerprint; nothing where none is named.

    Raises:
        CnbenchError: it does not answer.
    """
    if not _named:
        return {}
    return {CLUSTER: f"{_named[0].version()}, {_named[0].given.identity}"}
