"""The objects that are written and read: ConfigMaps, or custom resources that look like them."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cnbench.control_plane.api.client import Client
from cnbench.control_plane.binaries import APIEXTENSIONS
from cnbench.lab.waiting import wait_until

GROUP, PLURAL = "cnbench.example.com", "samples"
_SCHEMA = {
    "type": "object",
    "properties": {"data": {"type": "object", "additionalProperties": {"type": "string"}}},
}
_NAMES = {"plural": PLURAL, "singular": "sample", "kind": "Sample", "listKind": "SampleList"}
_DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"{PLURAL}.{GROUP}"},
    "spec": {
        "group": GROUP, "scope": "Namespaced", "names": _NAMES,
        "versions": [{
            "name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": _SCHEMA},
        }],
    },
}  # fmt: skip
NAMESPACE = "cnbench"
_AT_ONCE = 8
_PATIENCE = 60.0


@dataclass(frozen=True)
class Kind:
    """A kind of objects in our namespace.

    Attributes:
        version: apiVersion.
        kind: its name.
        path: of the collection.
        resource: as the server's own figures name it.
    """

    version: str
    kind: str
    path: str
    resource: str

    def body(self, number: int, payload: str, sequence: int = 0) -> Mapping[str, Any]:
        """An object, to be created."""
        return {
            "apiVersion": self.version,
            "kind": self.kind,
            "metadata": {"name": name_of(number)},
            "data": {"payload": payload, "sequence": str(sequence)},
        }


def config_maps(namespace: str) -> Kind:
    """The ConfigMaps of a namespace."""
    return Kind("v1", "ConfigMap", f"/api/v1/namespaces/{namespace}/configmaps", "configmaps")


CONFIG_MAPS = config_maps(NAMESPACE)
SAMPLES = Kind(f"{GROUP}/v1", "Sample", f"/apis/{GROUP}/v1/namespaces/{NAMESPACE}/{PLURAL}", PLURAL)


def name_of(number: int) -> str:
    """The name of the object of that number."""
    return f"object-{number:07}"


def kind_of(server: str) -> Kind:
    """The kind of objects that ``server`` has."""
    return SAMPLES if server == APIEXTENSIONS else CONFIG_MAPS


def prepare(client: Client, kind: Kind) -> None:
    """Make the namespace, or the definition of custom resources; raises CnbenchError."""
    if kind is CONFIG_MAPS:
        client.demand("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        return
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    client.demand("POST", path, _DEFINITION)
    wait_until(
        lambda: client.ask("GET", kind.path).status == 200,
        f"{PLURAL}.{GROUP} are not served",
        within=_PATIENCE,
    )


def create(
    connect: Callable[[], Client],
    kind: Kind,
    count: int,
    payload: str,
    advanced: Callable[[int], None],
) -> None:
    """Create objects 0 to ``count`` - 1, over several connections at once.

    Args:
        connect: makes a connection.
        kind: what they are.
        count: how many.
        payload: what each contains.
        advanced: is told how many there are, now and then.

    Raises:
        CnbenchError: the server refused one.
    """

    def one(client: Client, number: int) -> None:
        client.demand("POST", kind.path, kind.body(number, payload))

    in_parallel(connect, count, one, advanced)


def in_parallel(
    connect: Callable[[], Client],
    count: int,
    act: Callable[[Client, int], None],
    advanced: Callable[[int], None] = lambda done: None,
) -> None:
    """Do something for each number below ``count``, over several connections at once.

    Raises whatever one of them raises.
    """
    local = threading.local()
    clients: list[Client] = []

    def one(number: int) -> None:
        if not hasattr(local, "client"):
            local.client = connect()
            clients.append(local.client)
        act(local.client, number)

    try:
        with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
            for done, _ in enumerate(pool.map(one, range(count)), 1):
                advanced(done)
    finally:
        for client in clients:
            client.close()
