"""A case of listing or watching."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cnbench.control_plane.binaries import APIEXTENSIONS, binaries_of
from cnbench.control_plane.servers.plane import require_plane
from cnbench.control_plane.stock import open_stock
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
    wanted = (
        params.text("server"), params.whole("objects"), params.whole("size"), params.text("store")
    )  # fmt: skip
    # Go gives memory back late: what a stream takes would not be seen behind what lists took.
    key = ("stock", cached, way == STREAM, *wanted)
    stock = lab.fixture(key, lambda: open_stock(lab, *wanted, cached=cached))
    if is_list(params):
        yield Listing(lab, stock, way, params.text("encoding"), stock.version())
    elif way == WATCH:
        with open_watching(lab, stock, params.whole("watchers"), params.number("rate")) as watching:
            yield watching
    else:
        yield Resuming(lab, stock, params.number("rate"), way == RELIST)


def require_servers(server: str, lab: Lab) -> None:
    """Raise UnsupportedError where the servers, or what they need, are not there."""
    require_plane(lab)
    binaries = binaries_of(server)
    binaries.path("etcd")
    binaries.path("apiextensions-apiserver" if server == APIEXTENSIONS else "kube-apiserver")


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where a point's servers are not there."""
    require_servers(params.text("server"), lab)
