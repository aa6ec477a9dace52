"""What is asked of listing and watching."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cnbench.control_plane.binaries import APIEXTENSIONS, KUBERNETES, SERVER
from cnbench.control_plane.given.cluster import CLUSTER
from cnbench.control_plane.servers.etcd import DISK, MEMORY, STORES, UNKNOWN
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point, Value

LIST, CACHED, EXACT, PAGES, STREAM = (
    "list", "list-cached", "list-exact", "list-pages", "list-stream",
)  # fmt: skip
WATCH, RESUME, RELIST = "watch", "watch-resume", "watch-relist"
_LISTS = (LIST, CACHED, EXACT, PAGES, STREAM)
_WATCHES = (WATCH, RESUME, RELIST)
_WAYS = (*_LISTS, *_WATCHES)
JSON, PROTOBUF = "json", "protobuf"
# What client-go's pager asks for at once.
PAGE = 500
# Events a second of all watchers together that servers and client can do on two processors.
_MOST_EVENTS = 2000
_RATE_OF_A_CUT = 100


def _ways(point: Point) -> tuple[Value, ...]:
    """Streamed lists came with 1.27; which of its own servers have it, a user knows."""
    ours = {STREAM: point["server"] == APIEXTENSIONS, RELIST: point["server"] != CLUSTER}
    return tuple(way for way in _WAYS if ours.get(way, True))


def _encodings(point: Point) -> tuple[Value, ...]:
    several = point["server"] != APIEXTENSIONS and point["way"] in (LIST, CACHED)
    return (JSON, PROTOBUF) if several else (JSON,)


def _of_lists(*several: Value) -> Callable[[Point], tuple[Value, ...]]:
    """``several`` sizes of what is listed; a watch costs what its events do, whatever is there."""
    return lambda point: several if is_list(point) else several[:1]


def _watchers(*several: Value) -> Callable[[Point], tuple[Value, ...]]:
    """``several`` for watching; one where it is cut, and none for lists."""

    def values(point: Point) -> tuple[Value, ...]:
        if point["way"] == WATCH:
            return several
        return (0,) if is_list(point) else (1,)

    return values


def _rates(*several: float) -> Callable[[Point], tuple[Value, ...]]:
    """For watching, ``several`` of which the events are not too many; and none for lists."""

    def values(point: Point) -> tuple[Value, ...]:
        if point["way"] != WATCH:
            return (0,) if is_list(point) else (_RATE_OF_A_CUT,)
        most = _MOST_EVENTS / max(1, point.whole("watchers"))
        return tuple(dict.fromkeys(min(rate, most) for rate in several))

    return values


def _stores(*several: Value) -> Callable[[Point], tuple[Value, ...]]:
    """``several`` for watching; in memory otherwise, and unknown of a cluster of the user's."""

    def values(point: Point) -> tuple[Value, ...]:
        if point["server"] == CLUSTER:
            return (UNKNOWN,)
        return several if point["way"] == WATCH else (MEMORY,)

    return values


PARAMETERS = (
    replace(
        SERVER, choices=(*SERVER.choices, CLUSTER),
        summary=f"{SERVER.summary}; or a cluster of yours (--kubeconfig)",
    ),
    Parameter(
        "way", "LIST by resourceVersion (unset, 0, exact), in pages of 500, as a stream; WATCH, "
        "and going on after a cut, from a version that is known, or that is gone",
        quick=_ways, full=_ways, choices=_WAYS,
    ),
    Parameter(
        "encoding", "of the answer", quick=_encodings, full=_encodings, choices=(JSON, PROTOBUF)
    ),
    Parameter(
        "objects", "objects in the collection", quick=(1000,), full=_of_lists(1000, 10_000),
        whole=True, minimum=1, maximum=200_000,
    ),
    Parameter(
        "size", "bytes of data in each object", quick=(1024,), full=_of_lists(1024, 16_384),
        unit="B", whole=True, minimum=1, maximum=1_000_000,
    ),
    Parameter(
        "watchers", "watches that are told of each write", quick=_watchers(1, 100),
        full=_watchers(1, 10, 100, 1000), whole=True, minimum=0, maximum=5000,
    ),
    Parameter(
        "rate", "writes a second", quick=_rates(100), full=_rates(10, 100, 1000),
        minimum=0, maximum=5000,
    ),
    Parameter(
        "store", "where etcd keeps its state: fsync is nothing in memory", quick=_stores(MEMORY),
        full=_stores(*STORES), choices=(MEMORY, DISK, UNKNOWN),
    ),
)  # fmt: skip

METRICS = (
    Metric("latency", "s", "lower", "ratio", "time from asking for a LIST to its last byte"),
    Metric("delivery", "s", "lower", "additive",
           "time from a write's answer to its event at a watcher, as the kernel got both"),
    Metric("slowest", "s", "lower", "additive", "the same for the watcher that is told last"),
    Metric("resume", "s", "lower", "ratio", "time from connecting again to the last missed event"),
    Metric("interval", "s", "lower", "ratio", "time between two writes"),
    Metric("transferred", "B", "lower", "ratio", "bytes of the LIST's body"),
    Metric("cpu", "s", "lower", "ratio", "CPU time of the API server for a LIST, or for a write"),
    Metric("memory", "B", "lower", "ratio", "most memory that the API server had meanwhile"),
)  # fmt: skip


def is_list(point: Point) -> bool:
    """Whether a point lists."""
    return point["way"] in _LISTS


def nonsense(point: Point) -> str:
    """Why a point is left out, or the empty text."""
    way, watchers = point.text("way"), point.whole("watchers")
    if point["encoding"] == PROTOBUF:
        if point["server"] == APIEXTENSIONS:
            return "custom resources have no protobuf"
        if way not in (LIST, CACHED, EXACT):
            return "what continues an answer in protobuf is not read here"
    if (point["server"] == CLUSTER) != (point["store"] == UNKNOWN):
        return "where etcd keeps its state is known of all servers but a cluster of yours"
    if way == RELIST and point["server"] == CLUSTER:
        return "a version is gone once etcd is told to forget it, which is not ours to do"
    if way == STREAM and point["server"] == KUBERNETES:
        return "Kubernetes 1.20 has no streamed lists"
    if is_list(point):
        return "nobody watches while lists are measured" if watchers or point["rate"] else ""
    if watchers < 1 or point.number("rate") <= 0:
        return "a watch needs a watcher, and writes"
    return "one watcher is cut at a time" if way != WATCH and watchers != 1 else ""
