"""What is asked of etcd."""

from __future__ import annotations

from collections.abc import Callable

from cnbench.control_plane.binaries import SERVER
from cnbench.control_plane.servers.etcd import DISK, MEMORY, UNSYNCED
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point, Value

PUT, GET, RANGE, TRANSACTION, WATCH, LEASE = "put", "get", "range", "transaction", "watch", "lease"
_CALLS = (PUT, GET, RANGE, TRANSACTION, WATCH, LEASE)
WRITES = (PUT, TRANSACTION)
# What an API server asks for at once, of a client that lists in pages.
PAGE = 500
_STORES = (MEMORY, DISK, UNSYNCED)


def _watchers(*several: Value) -> Callable[[Point], tuple[Value, ...]]:
    """``several`` for watching, one that sees leases end, none for calls."""

    def values(point: Point) -> tuple[Value, ...]:
        if point["call"] == WATCH:
            return several
        return (1,) if point["call"] == LEASE else (0,)

    return values


def _of_calls(*several: Value) -> Callable[[Point], tuple[Value, ...]]:
    """``several`` sizes for calls; the end of a lease knows none of them."""
    return lambda point: several if point["call"] != LEASE else several[:1]


PARAMETERS = (
    SERVER,
    Parameter(
        "call", f"a put; a range of one key (get), or of {PAGE}; a put if unchanged; watchers that "
        "are told of a put; the end of a lease",
        quick=_CALLS, full=_CALLS, choices=_CALLS,
    ),
    Parameter(
        "store", "where etcd keeps its state: in memory, on disk, on disk without fsync",
        quick=_STORES, full=_STORES, choices=_STORES,
    ),
    Parameter(
        "size", "bytes of a value", quick=(1024,), full=_of_calls(1024, 100, 16_384, 262_144),
        unit="B", whole=True, minimum=16, maximum=1_000_000,
    ),
    Parameter(
        "keys", "keys in the store", quick=(1000,), full=_of_calls(1000, 100_000), whole=True,
        minimum=1, maximum=1_000_000,
    ),
    Parameter(
        "watchers", "watches that are told of each put", quick=_watchers(1, 100),
        full=_watchers(1, 10, 100, 1000), whole=True, minimum=0, maximum=5000,
    ),
)  # fmt: skip

METRICS = (
    Metric("latency", "s", "lower", "ratio", "time from a call to its answer"),
    Metric("delivery", "s", "lower", "additive",
           "time from a put's answer to its event at a watcher, as the kernel got both"),
    Metric("slowest", "s", "lower", "additive", "the same for the watcher that is told last"),
    Metric("lateness", "s", "lower", "additive", "time from a lease's end until it is told"),
    Metric("handling", "s", "lower", "ratio", "time that etcd itself counts for the call"),
    Metric("fsync", "s", "lower", "additive", "of it, the time that the log waited for fsync"),
    Metric("cpu", "s", "lower", "ratio", "CPU time of etcd for a call"),
    Metric("memory", "B", "lower", "ratio", "memory that etcd has resident"),
)  # fmt: skip

# 8 GiB is etcd's quota here; each version of a value is kept.
_MOST_BYTES = 2 << 30


def nonsense(point: Point) -> str:
    """Why a point is left out, or the empty text."""
    watched = point["call"] in (WATCH, LEASE)
    if watched != (point.whole("watchers") > 0):
        return "a watch needs a watcher" if watched else "nobody watches while calls are measured"
    if point["call"] == LEASE and point["watchers"] != 1:
        return "one watcher sees leases end"
    room = point.whole("size") * point.whole("keys") <= _MOST_BYTES
    return "" if room else "the store would have no room for the writes to come"
