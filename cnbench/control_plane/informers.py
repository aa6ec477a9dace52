"""client-go's informers, run by a program of ours that says what they know, and since when."""

from __future__ import annotations

import contextlib
import itertools
import json
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cnbench.control_plane.api.ledger import Entry
from cnbench.control_plane.api.objects import GROUP, NAMESPACE, SAMPLES, Kind
from cnbench.control_plane.binaries import APIEXTENSIONS, binaries_of
from cnbench.control_plane.servers import daemon
from cnbench.control_plane.servers.api_server import ADMIN, URL
from cnbench.control_plane.servers.certificates import MASTERS
from cnbench.control_plane.servers.daemon import Daemon
from cnbench.control_plane.servers.plane import Plane
from cnbench.control_plane.servers.requests import ask
from cnbench.control_plane.stock import Contents
from cnbench.core.errors import CnbenchError

PROGRAM = "informer"
_SECONDS = 300.0
# A feature of client-go, in its environment (k8s.io/client-go, features/envvar.go).
_STREAMED = "KUBE_FEATURE_WatchListClient"
# Each program of a plane listens on a port of its own: the last one's may not be free yet.
_ports = itertools.count(7070)


@dataclass(frozen=True)
class Synced:
    """Informers whose stores have all objects for the first time.

    Attributes:
        took: how long each needed for that, in ns.
        objects: how many all stores have together.
        before: bytes alive in the program before it made them.
        after: and with all objects in their stores.
    """

    took: Sequence[int]
    objects: int
    before: int
    after: int


@dataclass(frozen=True)
class Told:
    """An event that an informer's handler was called for; times in ns of one clock.

    Attributes:
        entry: the version and the name of the object; its sequence is 0.
        read: when the connection was read last before it was queued.
        queued: when it was put into the queue.
        handled: when the handler was called; the store has it by then.
    """

    entry: Entry
    read: int
    queued: int
    handled: int


@dataclass(frozen=True)
class Informers:
    """A program that runs informers. Use ``open_informers``."""

    plane: Plane
    daemon: Daemon
    port: int

    def start(self, form: str, count: int) -> Synced:
        """Run ``count`` informers of a form, until their stores have all objects.

        Raises:
            CnbenchError: the program refused, or has ended.
        """
        said = self._ask("start", form=form, count=count)
        return Synced(said["sync"], said["objects"], said["before"], said["after"])

    def versions(self) -> list[int]:
        """The version of the newest object that each one's store has, and its handler knows of."""
        return [int(version) for version in self._ask("version")]

    def contents(self, number: int) -> Contents:
        """What the store of an informer has; a sequence of -1 is one that the form has not."""
        return {
            name: (int(version), int(sequence or -1))
            for name, (version, sequence) in self._ask("store", number=number).items()
        }

    def take(self, number: int) -> list[Told]:
        """The events that an informer was told of since this was asked last."""
        return [
            Told(Entry(int(one["version"]), one["name"], 0, 0), one["read"], one["queued"],
                 one["handled"])
            for one in self._ask("events", number=number) or ()
        ]  # fmt: skip

    def cut(self, number: int) -> int:
        """Break the connections of an informer: when, in ns of the clock of ``Told``.

        Raises:
            CnbenchError: it had none.
        """
        said = self._ask("cut", number=number)
        if not said["connections"]:
            raise CnbenchError(f"informer {number} had no connection to be cut")
        return int(said["at"])

    def _ask(self, what: str, **given: object) -> Any:
        path = f"/{what}?{urllib.parse.urlencode(given)}"
        status, body = ask(self.plane.enclave.network, self.port, path, seconds=_SECONDS)
        if status != 200:
            raise CnbenchError(f"the informers refused {what}: {body.decode().strip()}")
        return json.loads(body)


@contextlib.contextmanager
def open_informers(plane: Plane, kind: Kind, streamed: bool = False) -> Iterator[Informers]:
    """A program that can run informers of ``kind``; it is killed on leaving.

    Args:
        plane: whose API server they ask.
        kind: what they follow.
        streamed: whether they have their stores filled by a watch, instead of by a list.

    Raises:
        UnsupportedError: it is not built.
        CnbenchError: it does not answer.
    """
    port, network = next(_ports), plane.enclave.network
    admin = plane.certificates.client(ADMIN, MASTERS)
    own_group = kind is SAMPLES
    argv = [
        binaries_of(APIEXTENSIONS).path(PROGRAM),
        f"--kubeconfig={plane.certificates.kubeconfig(URL, admin)}",
        f"--group={GROUP if own_group else ''}", f"--resource={kind.resource}",
        f"--namespace={NAMESPACE}", f"--listen=127.0.0.1:{port}",
    ]  # fmt: skip
    running = daemon.start(
        plane.enclave, plane.folder, argv, lambda: ask(network, port, "/healthz")[0] == 200,
        {_STREAMED: str(streamed).lower()},
    )  # fmt: skip
    try:
        yield Informers(plane, running, port)
    finally:
        plane.enclave.do("kill", running.pid)
