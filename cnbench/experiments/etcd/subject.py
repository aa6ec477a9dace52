"""A case of etcd: a store with so many keys, and what is asked of it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from cnbench.control_plane.api.exchange import numbered, open_key_watcher
from cnbench.control_plane.api.key_value import KeyValue
from cnbench.control_plane.api.stream import stamping
from cnbench.control_plane.binaries import binaries_of
from cnbench.control_plane.servers.etcd import Etcd, open_etcd
from cnbench.core.experiment import Subject
from cnbench.core.parameter import Point
from cnbench.experiments.etcd.calling import Calling
from cnbench.experiments.etcd.grid import LEASE, WATCH
from cnbench.experiments.etcd.keys import END, FIRST, key_of
from cnbench.experiments.etcd.leasing import Leasing
from cnbench.experiments.etcd.telling import Telling
from cnbench.lab.host import Lab

_FILLED_AT_ONCE = 1000


@dataclass(frozen=True)
class Store:
    """An etcd with keys; ``numbers`` are those of the writes to come."""

    etcd: Etcd
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Subject]:
    """The case of a point, on an etcd that the cases of its kind share."""
    call, store = params.text("call"), params.text("store")
    key = ("etcd", *(params[name] for name in ("server", "store", "size", "keys")))
    filled = lab.fixture(key, lambda: _open_filled(params, lab))
    with contextlib.ExitStack() as opened:
        if call == WATCH:
            watchers = [
                opened.enter_context(open_key_watcher(filled.etcd.connection, FIRST, END))
                for _ in range(params.whole("watchers"))
            ]
            yield Telling(lab, filled.etcd, store, watchers, params.whole("size"), filled.numbers)
        elif call == LEASE:
            yield Leasing(lab, filled.etcd, store)
        else:
            calls = KeyValue(opened.enter_context(filled.etcd.client()))
            yield Calling(lab, filled.etcd, calls, call, store, params.whole("size"),
                          params.whole("keys"), filled.numbers)  # fmt: skip


@contextlib.contextmanager
def _open_filled(params: Point, lab: Lab) -> Iterator[Store]:
    """An etcd with the keys of a point."""
    keys, value = params.whole("keys"), numbered(0, params.whole("size"))
    with (
        open_etcd(lab, binaries_of(params.text("server")), params.text("store")) as etcd,
        stamping(etcd.enclave.network),
    ):
        with etcd.client() as client:
            for first in range(0, keys, _FILLED_AT_ONCE):
                numbers = range(first, min(keys, first + _FILLED_AT_ONCE))
                KeyValue(client).fill(map(key_of, numbers), value)
                lab.long_work.advanced("keys", first, keys)
        yield Store(etcd)


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where there is no etcd, or no enclave for it."""
    lab.require_namespaces()
    lab.require_mounts()
    binaries_of(params.text("server")).path("etcd")
