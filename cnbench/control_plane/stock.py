"""A collection of objects on a control plane of its own, which is read and written."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from cnbench.control_plane.api import objects
from cnbench.control_plane.api.access import Access
from cnbench.control_plane.api.figures import Labels, total
from cnbench.control_plane.api.ledger import Entry
from cnbench.control_plane.api.objects import Kind
from cnbench.control_plane.api.stream import stamping
from cnbench.control_plane.api.traffic import Traffic, open_traffic
from cnbench.control_plane.api.watcher import entry_of
from cnbench.control_plane.api.writer import open_writer
from cnbench.control_plane.binaries import binaries_of
from cnbench.control_plane.given.cluster import GivenCluster
from cnbench.control_plane.given.namespace import own_namespace
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
    """Objects that are there.

    Attributes:
        api: the way to their API server.
        plane: its servers, where they are ours.
        kind: what they are.
        count: how many.
        numbers: those of the writes to come.
    """

    api: Access
    plane: Plane | None
    kind: Kind
    count: int
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextlib.contextmanager
    def accounted(self, times: int = 1) -> Iterator[dict[str, int]]:
        """The API server's CPU time for each of ``times`` (ns) and its most memory inside (bytes).

        They are there once this is left; of a server that is not ours they never are.
        """
        found: dict[str, int] = {}
        if self.plane is None:
            yield found
            return
        daemon = self.plane.api.daemon
        daemon.forget_peak()
        before = daemon.cpu_time()
        yield found
        found |= {"cpu": (daemon.cpu_time() - before) // times, "memory": daemon.peak_memory()}

    def servers(self) -> Plane:
        """Its servers, which must be ours; raises ValueError where they are not."""
        if self.plane is None:
            raise ValueError("these servers are not ours")
        return self.plane

    def version(self) -> int:
        """The collection's resourceVersion; raises CnbenchError."""
        with self.api.client() as client:
            said = client.get(f"{self.kind.path}?limit=1")
        return int(said["metadata"]["resourceVersion"])

    def listed(self) -> tuple[Contents, int]:
        """What the server has of every object, and the resourceVersion of that."""
        with self.api.client() as client:
            said = client.get(self.kind.path)
        contents: Contents = {}
        put(contents, (entry_of(about, 0) for about in said["items"]))
        return contents, int(said["metadata"]["resourceVersion"])

    def etcd_lists(self) -> float:
        """How many times the API server has listed the collection in etcd, as it says.

        Nothing of a server that is not ours: its figures are not asked for.
        """
        if self.plane is None:
            return 0.0
        return self._figure("etcd_request_duration_seconds_count", self._is_list_of_ours)

    def lists(self) -> int:
        """How many times the API server was asked to list the collection, as it says."""
        return round(self._figure("apiserver_request_total", self._asks_for_a_list))

    def _figure(self, name: str, wanted: Callable[[Labels], bool]) -> float:
        with self.api.client() as client:
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
        with contextlib.ExitStack() as opened:
            writers = [
                opened.enter_context(open_writer(self.api, self.kind))
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
        _fill(lab, plane.api, kind, count, size)
        yield Stock(plane.api, plane, kind, count)


@contextlib.contextmanager
def open_given_stock(lab: Lab, cluster: GivenCluster, count: int, size: int) -> Iterator[Stock]:
    """``count`` objects of ``size`` bytes, in a namespace of their own of the user's cluster.

    Raises:
        UnsupportedError: so many are not allowed there.
        CnbenchError: it does not answer, or refuses an object.
    """
    with cluster.room(count), own_namespace(cluster) as namespace, stamping():
        kind = objects.config_maps(namespace)
        _fill(lab, cluster, kind, count, size)
        yield Stock(cluster, None, kind, count)


def _fill(lab: Lab, api: Access, kind: Kind, count: int, size: int) -> None:
    objects.create(
        api.client, kind, count, _LETTER * size,
        lambda done: lab.long_work.advanced("objects", done, count),
    )  # fmt: skip
