"""A cluster's own objects, packed so that they travel with a run: to a guest, and in its file.

What is packed is JSON of the fields that are read here, compressed, and as text; beside it which
node of the cluster is looked at.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from cnbench.core.errors import ServiceError
from cnbench.proxy.model import Service
from cnbench.proxy.node import Node
from cnbench.proxy.objects.documents import unpacked
from cnbench.proxy.objects.fields import Fields
from cnbench.proxy.objects.manifest import read_services

# Of each object: what is read, field by field; None is all of what stands there.
_READ: dict[str, Any] = {
    "kind": None,
    "metadata": {"name": None, "namespace": None, "labels": None, "annotations": None},
    "spec": None,
    "status": {"loadBalancer": None},
    "addressType": None,
    "ports": None,
    "endpoints": None,
}
_KEPT_MARKS = "kubernetes.io/"


class NodeOf(NamedTuple):
    """A node of the cluster, by its name and zone; both are empty where no slice names any."""

    name: str
    zone: str


def pack(documents: object, node_name: str = "") -> str:
    """Pack what a file was parsed to, looked at from a node.

    Where no node is named, it is the one that most endpoints are on.

    Raises:
        ServiceError: no endpoint is on the node that is named.
    """
    objects = [_lean(each, kind) for each, kind in unpacked(documents)]
    node = _node(objects, node_name)
    text = json.dumps({"node": node, "objects": objects}, separators=(",", ":"))
    return base64.b85encode(zlib.compress(text.encode(), 9)).decode()


def node_in(packed: str) -> NodeOf:
    """The node that is looked at."""
    return NodeOf(*_content(packed)["node"])


def read_own(packed: str, mode: str, node: Node) -> list[Service]:
    """Read the services that one family's proxier on ``node`` programs.

    Raises:
        ServiceError: as `read_services`.
    """
    objects = _content(packed)["objects"]
    return read_services(objects, mode=mode, node=node, source="the cluster's services").services


@lru_cache(maxsize=1)
def _content(packed: str) -> dict[str, Any]:
    try:
        found = json.loads(zlib.decompress(base64.b85decode(packed)))
    except (ValueError, zlib.error, binascii.Error) as error:
        raise ServiceError(f"a cluster's services cannot be unpacked: {error}") from error
    return dict(found)


def _lean(value: object, kind: str) -> object:
    if not isinstance(value, dict):
        return value  # whoever reads it says what is wrong
    lean = _only(value, _READ)
    lean.setdefault("kind", kind)
    metadata = lean.get("metadata")
    if isinstance(metadata, dict):
        for marks in ("labels", "annotations"):
            if isinstance(metadata.get(marks), dict):
                metadata[marks] = {
                    name: text for name, text in metadata[marks].items() if _KEPT_MARKS in name
                }
    return lean


def _only(value: dict[str, Any], read: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _only(value[name], within)
        if isinstance(within, dict) and isinstance(value[name], dict)
        else value[name]
        for name, within in read.items()
        if name in value
    }


def _node(objects: Iterable[object], name: str) -> NodeOf:
    zones: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for endpoint in _endpoints(objects):
        if on := endpoint.text("nodeName"):
            counts[on] += 1
            zones[on] = zones.get(on) or endpoint.text("zone")
    if name and name not in counts:
        raise ServiceError(
            f"no endpoint is on a node called '{name}'", f"choose from {', '.join(sorted(counts))}"
        )
    most = name or max(sorted(counts), key=counts.__getitem__, default="")
    return NodeOf(most, zones.get(most, ""))


def _endpoints(objects: Iterable[object]) -> Iterator[Fields]:
    for value in objects:
        found = Fields(value, "an object")
        if found.text("kind") == "EndpointSlice":
            yield from found.each("endpoints")
