"""A collection of objects on a control plane of its own, which is read and written."""

from __future__ import annotations

import contextlib
import itertools
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from cnbench.control_plane.api import objects
from cnbench.control_plane.api.client import connected
from cnbench.control_plane.api.figures import Labels, total
from cnbench.control_plane.api.ledger import Entry
from cnbench.control_plane.api.objects import Kind
from cnbench.control_plane.api.stream import stamping
from cnbench.control_plane.api.traffic import Traffic, open_traffic
from cnbench.control_plane.api.watcher import entry_of
from cnbench.control_plane.api.writer import open_writer
from cnbench.control_plane.binaries import binaries_of
from cnbench.control_plane.servers.api_server import PORT
from cnbench.control_plane.servers.plane import Plane, open_plane
from cnbench.lab.host import Lab

# The payload is of one letter: the server does not compress what it is not asked to.
_LETTER = "x"
# Writes a second that a connection makes, one after another, on a busy machine as well.
_RATE_OF_A_WRITER = 50
_MOST_WRITERS = 40

# The version of each object and what we wrote into it, by its name.
Contents = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Stock:
    """Objects that are there: ``count`` of one kind, on the servers of ``plane``.

    ``numbers`` are those of the writes to come.
    """

    plane: Plane
    kind: Kind
    count: int
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def connection(self) -> socket.socket:
        """A connection to the API server, without TLS yet; raises CnbenchError."""
        return connected(self.plane.enclave.network, PORT)

    def version(self) -> int:
        """The collection's resourceVersion; raises CnbenchError."""
        with self.plane.api.client() as client:
            said = client.get(f"{self.kind.path}?limit=1")
        return int(said["metadata"]["resourceVersion"])

    def listed(self) -> tuple[Contents, int]:
        """What the server has of every object, and the resourceVersion of that."""
        with self.plane.api.client() as client:
            said = client.get(self.kind.path)
        contents: Contents = {}
        put(contents, (entry_of(about, 0) for about in said["items"]))
        return contents, int(said["metadata"]["resourceVersion"])

    def etcd_lists(self) -> float:
        """How many times the API server has listed the collection in etcd, as it says."""
        return self._figure("etcd_request_duration_seconds_count", self._is_list_of_ours)

    def lists(self) -> int:
        """How many times the API server was asked to list the collection, as it says."""
        return round(self._figure("apiserver_request_total", self._asks_for_a_list))

    def _figure(self, name: str, wanted: Callable[[Labels], bool]) -> float:
        with self.plane.api.client() as client:
            text = client.demand("GET", "/metrics").body.decode()
        return total(text, name, wanted)

    def _asks_for_a_list(self, labels: Labels) -> bool:
        return (labels["verb"], labels["resource"]) == ("LIST", self.kind.resource)

    def _is_list_of_ours(self, labels: Labels) -> bool:
        # 1.20 names the Go type, later releases the resource.
        named = (labels.get("type", ""), labels.get("resource", ""))
        ours = any(self.kind.kind in one or one.endswith(self.kind.resource) for one in named)
        return labels["operation"] == "list" and ours

    @contextlib.contextmanager
    def writes(self, rate: float) -> Iterator[Traffic]:
        """Connections enough to write ``rate`` times a second; raises CnbenchError."""
        context = self.plane.api.context()
        with contextlib.ExitStack() as opened:
            writers = [
                opened.enter_context(open_writer(self.connection, context, self.kind))
                for _ in range(min(_MOST_WRITERS, 1 + int(rate) // _RATE_OF_A_WRITER))
            ]
            yield opened.enter_context(open_traffic(writers, self.count, self.numbers))


def put(contents: Contents, entries: Iterable[Entry]) -> None:
    """Have ``contents`` be what they are after ``entries``."""
    contents.update((entry.name, (entry.version, entry.sequence)) for entry in entries)


@contextlib.contextmanager
def open_stock(
    lab: Lab, server: str, count: int, size: int, store: str, *, cached: bool = True
) -> Iterator[Stock]:
    """Objects on servers of their own.

    Args:
        lab: where.
        server: one of ``binaries.SERVERS``.
        count: how many objects.
        size: bytes of data in each.
        store: where etcd keeps its state, one of ``etcd.STORES``.
        cached: whether the API server has a watch cache, as it has by default.

    Raises:
        UnsupportedError: the servers are not built.
        CnbenchError: a server does not answer, or refuses an object.
    """
    kind = objects.kind_of(server)
    options = () if cached else ("--watch-cache=false",)
    with (
        open_plane(lab, binaries_of(server), store, *options) as plane,
        stamping(plane.enclave.network),
    ):
        with plane.api.client() as client:
            objects.prepare(client, kind)
        objects.create(
            plane.api.client, kind, count, _LETTER * size,
            lambda done: lab.long_work.advanced("objects", done, count),
        )  # fmt: skip
        yield Stock(plane, kind, count)
