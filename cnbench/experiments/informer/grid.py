"""What is asked of informers."""

from __future__ import annotations

from cnbench.control_plane.binaries import APIEXTENSIONS, KUBERNETES, SERVER
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point, Value

WHOLE, STRIPPED, METADATA = "whole", "stripped", "metadata"
_FORMS = (WHOLE, STRIPPED, METADATA)

LISTED, STREAMED = "list", "stream"
_SOURCES = (LISTED, STREAMED)


def _sources(point: Point) -> tuple[Value, ...]:
    return _SOURCES if point["server"] == APIEXTENSIONS else (LISTED,)


PARAMETERS = (
    SERVER,
    Parameter(
        "form", "what the store keeps of an object: the whole, without its managed fields, or its "
        "metadata; ConfigMaps are Go structs, custom resources are maps",
        quick=_FORMS, full=_FORMS, choices=_FORMS,
    ),
    Parameter(
        "source", "what a store is filled from at first: a LIST, or a WATCH that streams it",
        quick=_sources, full=_sources, choices=_SOURCES,
    ),
    Parameter(
        "objects", "objects in the collection", quick=(1000,), full=(1000, 10_000), whole=True,
        minimum=10, maximum=200_000,
    ),
    Parameter(
        "size", "bytes of data in each object", quick=(1024,), full=(1024,), unit="B", whole=True,
        minimum=1, maximum=1_000_000,
    ),
    Parameter(
        "informers", "informers that are synced, and cut, at once", quick=(1,), full=(1, 16),
        whole=True, minimum=1, maximum=200,
    ),
)  # fmt: skip

METRICS = (
    Metric("sync", "s", "lower", "ratio", "time until the store has all objects"),
    Metric("memory", "B", "lower", "ratio", "bytes alive for each object in the store"),
    Metric("event", "s", "lower", "ratio", "time from reading an event to the handler's call"),
    Metric("queued", "s", "lower", "ratio", "of it, the time until it is in the queue"),
    Metric("recovery", "s", "lower", "ratio", "time from a cut until an event is read again"),
    Metric("cpu", "s", "lower", "ratio", "CPU time of the informers' process for syncing"),
    Metric("peak", "B", "lower", "ratio", "most memory that the API server had meanwhile"),
)  # fmt: skip


def nonsense(point: Point) -> str:
    """Why a point is left out, or the empty text."""
    streamed = point["source"] == STREAMED and point["server"] == KUBERNETES
    return "Kubernetes 1.20 has no streamed lists" if streamed else ""
