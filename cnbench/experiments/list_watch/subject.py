"""A case of listing or watching."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

from cnbench.control_plane.binaries import APIEXTENSIONS, binaries_of
from cnbench.control_plane.given.cluster import CLUSTER, OBJECTS, REQUESTS, named
from cnbench.control_plane.servers.plane import require_plane
from cnbench.control_plane.stock import Stock, open_given_stock, open_stock
from cnbench.core.errors import UnsupportedError
from cnbench.core.experiment import Subject
from cnbench.core.parameter import Point
from cnbench.experiments.list_watch.grid import RELIST, STREAM, WATCH, is_list
from cnbench.experiments.list_watch.listing import Listing
from cnbench.experiments.list_watch.resuming import Resuming
from cnbench.experiments.list_watch.watching import open_watching
from cnbench.lab.host import Lab


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Subject]:
    """The case of a point, on servers that the cases of its group share."""
    way = params.text("way")
    cached = way != RELIST
    wanted = [params[name] for name in ("server", "objects", "size", "store")]
    # Go gives memory back late: what a stream takes would not be seen behind what lists took.
    key = ("stock", cached, way == STREAM, *wanted)
    stock = lab.fixture(key, lambda: _open_stock(params, lab, cached))
    if is_list(params):
        yield Listing(lab, stock, way, params.text("encoding"), stock.version())
    elif way == WATCH:
        with open_watching(lab, stock, params.whole("watchers"), params.number("rate")) as watching:
            yield watching
    else:
        yield Resuming(lab, stock, params.number("rate"), way == RELIST)


def _open_stock(params: Point, lab: Lab, cached: bool) -> AbstractContextManager[Stock]:
    server, count, size = params.text("server"), params.whole("objects"), params.whole("size")
    if server == CLUSTER:
        return open_given_stock(lab, named(), count, size)
    return open_stock(lab, server, count, size, params.text("store"), cached=cached)


def _require_cluster(params: Point) -> None:
    """Raise UnsupportedError where no cluster is named, or its bounds leave no room."""
    cluster, objects, rate = named(), params.whole("objects"), params.number("rate")
    if 2 * objects > cluster.objects:
        raise UnsupportedError(
            f"{objects} objects, twice since a case is held against itself, are more than the "
            f"{cluster.objects} allowed",
            f"fewer (-p objects=N), or {OBJECTS} {2 * objects}",
        )
    if rate > cluster.pace.rate:
        raise UnsupportedError(
            f"{rate:g} writes a second are more than the {cluster.pace.rate:g} requests allowed",
            f"fewer (-p rate=N), or {REQUESTS} {rate:g}",
        )


def require_servers(server: str, lab: Lab) -> None:
    """Raise UnsupportedError where the servers, or what they need, are not there."""
    require_plane(lab)
    binaries = binaries_of(server)
    binaries.path("etcd")
    binaries.path("apiextensions-apiserver" if server == APIEXTENSIONS else "kube-apiserver")


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where a point's servers are not there."""
    if params["server"] == CLUSTER:
        _require_cluster(params)
        return
    require_servers(params.text("server"), lab)
