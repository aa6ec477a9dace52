"""Listing a collection, and what that costs the API server."""

from __future__ import annotations

import math
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cnbench.control_plane.api import client
from cnbench.control_plane.api.client import RefusedError, Reply
from cnbench.control_plane.binaries import KUBERNETES
from cnbench.control_plane.stock import Stock
from cnbench.core.proof import Proof, equal
from cnbench.experiments.list_watch.grid import CACHED, EXACT, LIST, PAGE, PAGES, PROTOBUF, STREAM
from cnbench.experiments.list_watch.watching import in_units
from cnbench.lab.host import Lab

_NAME = re.compile(rb"object-\d{7}")
_CONTINUE = re.compile(rb'"continue":"([^"]+)"')
_METADATA = 2000
# Ends the events of a streamed list (k8s.io/apimachinery, pkg/apis/meta/v1/types.go).
_END_OF_INITIAL = b'"k8s.io/initial-events-end":"true"'
_PROTOBUF_MAGIC = b"k8s\0"


@dataclass
class Listing:
    """One way to list a collection.

    Attributes:
        version: of the collection, which does not change meanwhile.
        found: the numbers of objects that answers had.
        lists: how many times etcd was asked for a list in a sample, as the server counts.
        last: the last answer, in its parts.
    """

    lab: Lab
    stock: Stock
    way: str
    encoding: str
    version: int
    found: set[int] = field(default_factory=set)
    lists: set[float] = field(default_factory=set)
    last: list[bytes] = field(default_factory=list)

    def sample(self) -> Mapping[str, float]:
        """List once."""
        units = self.lab.clock.units
        lists = self.stock.etcd_lists()
        with self.stock.api.client() as connection:
            connection.ask("GET", "/readyz")  # TLS is behind us
            with self.stock.accounted() as used, self.lab.timed.part():
                replies = self._list(connection)
        self.lists.add(self.stock.etcd_lists() - lists)
        self.last = [reply.body for reply in replies]
        self.found.add(len(set(_NAME.findall(b"".join(self.last)))))
        took = units(sum(reply.took for reply in replies))
        values = {"latency": took, "transferred": float(sum(map(len, self.last)))}
        return values | in_units(used, self.lab)

    def _list(self, connection: client.Client) -> list[Reply]:
        path = f"{self.stock.kind.path}?{urllib.parse.urlencode(self._query())}"
        if self.way == STREAM:
            return [connection.read_until(path, _END_OF_INITIAL)]
        accept = client.PROTOBUF if self.encoding == PROTOBUF else client.JSON
        replies = [_checked(connection.ask("GET", path, accept=accept))]
        while self.way == PAGES and (token := _continue(replies[-1].body)):
            query = urllib.parse.urlencode({"limit": PAGE, "continue": token})
            replies.append(_checked(connection.ask("GET", f"{self.stock.kind.path}?{query}")))
        return replies

    def _query(self) -> Mapping[str, Any]:
        queries: dict[str, dict[str, Any]] = {
            LIST: {},
            CACHED: {"resourceVersion": 0},
            EXACT: {"resourceVersion": self.version, "resourceVersionMatch": "Exact"},
            PAGES: {"limit": PAGE},
            STREAM: {
                "watch": "true", "sendInitialEvents": "true", "allowWatchBookmarks": "true",
                "resourceVersionMatch": "NotOlderThan",
            },
        }  # fmt: skip
        return queries[self.way]

    def proof(self) -> Proof:
        """Every answer had all objects, in the encoding asked for, from where the way says."""
        protobuf = all(part.startswith(_PROTOBUF_MAGIC) for part in self.last)
        checks = [
            equal("objects in each answer", {self.stock.count}, self.found),
            equal("in protobuf", self.encoding == PROTOBUF, protobuf),
        ]
        expected = self._lists_of_etcd()
        if expected is not None:
            claim = "lists in etcd for each of ours, as the server counts"
            checks.append(equal(claim, {expected}, self.lists))
        return Proof(tuple(checks))

    def _lists_of_etcd(self) -> float | None:
        """How many there must be, or None where it is the server's to choose."""
        if self.stock.plane is None:
            return None  # whose figures are not ours to ask for
        if self.way in (CACHED, STREAM):
            return 0.0
        if self.stock.plane.binaries.server != KUBERNETES:
            return None  # later ones answer from their cache once they know it to be current
        return float(math.ceil(self.stock.count / PAGE)) if self.way == PAGES else 1.0


def _continue(body: bytes) -> str:
    """The token of the next page; the list's metadata are at one end of it, by kind."""
    found = _CONTINUE.search(body[:_METADATA]) or _CONTINUE.search(body[-_METADATA:])
    return found[1].decode() if found else ""


def _checked(reply: Reply) -> Reply:
    if reply.status != 200:
        raise RefusedError("a LIST", reply)
    return reply
