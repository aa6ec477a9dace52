"""A collection of objects on a control plane of its own."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from cnbench.control_plane.api import objects
from cnbench.control_plane.api.client import connected
from cnbench.control_plane.api.figures import Labels, total
from cnbench.control_plane.api.objects import Kind
from cnbench.control_plane.binaries import binaries_of
from cnbench.control_plane.servers.api_server import PORT
from cnbench.control_plane.servers.plane import Plane, open_plane
from cnbench.core.parameter import Point
from cnbench.lab.host import Lab

# The payload is of one letter: the server does not compress what it is not asked to.
_LETTER = "x"


@dataclass(frozen=True)
class Stock:
    """Objects that are there: ``count`` of one kind, on the servers of ``plane``."""

    plane: Plane
    kind: Kind
    count: int

    def connection(self) -> socket.socket:
        """A connection to the API server, without TLS yet; raises CnbenchError."""
        return connected(self.plane.enclave.network, PORT)

    def version(self) -> int:
        """The collection's resourceVersion; raises CnbenchError."""
        with self.plane.api.client() as client:
            said = client.get(f"{self.kind.path}?limit=1")
        return int(said["metadata"]["resourceVersion"])

    def etcd_lists(self) -> float:
        """How many times the API server has listed the collection in etcd, as it says."""
        with self.plane.api.client() as client:
            text = client.demand("GET", "/metrics").body.decode()
        return total(text, "etcd_request_duration_seconds_count", self._is_list_of_ours)

    def _is_list_of_ours(self, labels: Labels) -> bool:
        # 1.20 names the Go type, later releases the resource.
        named = (labels.get("type", ""), labels.get("resource", ""))
        ours = any(self.kind.kind in one or one.endswith(self.kind.resource) for one in named)
        return labels["operation"] == "list" and ours


@contextlib.contextmanager
def open_stock(lab: Lab, point: Point, cached: bool) -> Iterator[Stock]:
    """The objects of a point, on servers of their own.

    Args:
        lab: where.
        point: says how many, of what size, on which server.
        cached: whether the API server has a watch cache, as it has by default.

    Raises:
        UnsupportedError: the servers are not built.
        CnbenchError: a server does not answer, or refuses an object.
    """
    server, count = point.text("server"), point.whole("objects")
    kind = objects.kind_of(server)
    options = () if cached else ("--watch-cache=false",)
    with open_plane(lab, binaries_of(server), point.text("store"), *options) as plane:
        with plane.api.client() as client:
            objects.prepare(client, kind)
        payload = _LETTER * point.whole("size")
        objects.create(
            plane.api.client, kind, count, payload,
            lambda done: lab.long_work.advanced("objects", done, count),
        )  # fmt: skip
        yield Stock(plane, kind, count)
