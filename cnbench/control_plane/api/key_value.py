"""etcd's own calls over its gRPC gateway: what an API server asks of it, one call at a time."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cnbench.control_plane.api.client import Client, Reply

_OF_A_TRANSACTION = 100  # etcd takes 128 operations at most by default


@dataclass(frozen=True)
class KeyValue:
    """Calls over one connection; each raises RefusedError."""

    client: Client

    def put(self, key: str, value: str, lease: str = "0") -> Reply:
        """Put a value, which goes with ``lease`` unless that is 0."""
        return self._call("kv/put", putting(key, value) | {"lease": lease})

    def range(self, first: str, end: str = "", limit: int = 0) -> Reply:
        """The key ``first``; or, with an ``end``, the keys from it to before that."""
        asked = {"key": coded(first), "limit": limit}
        return self._call("kv/range", asked | ({"range_end": coded(end)} if end else {}))

    def update(self, key: str, value: str, version: int) -> Reply:
        """Put a value where the key has not changed since ``version``; else say what it is.

        As an API server writes every object (k8s.io/apiserver, pkg/storage/etcd3/store.go).
        """
        unchanged = {"key": coded(key), "target": "MOD", "mod_revision": str(version)}
        asked = {
            "compare": [unchanged | {"result": "EQUAL"}],
            "success": [{"request_put": putting(key, value)}],
            "failure": [{"request_range": {"key": coded(key)}}],
        }
        return self._call("kv/txn", asked)

    def fill(self, keys: Iterable[str], value: str) -> None:
        """Put the same value at all of ``keys``, many in one transaction."""
        puts = [{"request_put": putting(key, value)} for key in keys]
        for first in range(0, len(puts), _OF_A_TRANSACTION):
            self._call("kv/txn", {"success": puts[first : first + _OF_A_TRANSACTION]})

    def grant(self, seconds: int) -> str:
        """A lease that ends by itself after ``seconds``: its number."""
        number: str = self._call("lease/grant", {"TTL": str(seconds)}).said()["ID"]
        return number

    def figures(self) -> str:
        """What etcd counts of itself, in Prometheus' text format."""
        return self.client.demand("GET", "/metrics").body.decode()

    def _call(self, method: str, asked: Mapping[str, Any]) -> Reply:
        return self.client.demand("POST", f"/v3/{method}", asked)


def putting(key: str, value: str) -> dict[str, Any]:
    """A put, as the gateway takes it."""
    return {"key": coded(key), "value": coded(value)}


def coded(text: str) -> str:
    """Bytes as the gateway takes and gives them."""
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    """What ``coded`` made of a text."""
    return base64.b64decode(text).decode()
