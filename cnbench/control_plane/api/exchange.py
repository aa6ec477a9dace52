"""Calls and watches of etcd over plain HTTP, with the kernel's time of each answer."""

from __future__ import annotations

import contextlib
import json
import select
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cnbench.control_plane.api.decoder import ReplyDecoder
from cnbench.control_plane.api.key_value import coded, decoded
from cnbench.control_plane.api.ledger import Entry
from cnbench.control_plane.api.stream import Stream, open_stream
from cnbench.control_plane.api.watch import Watch
from cnbench.core.errors import CnbenchError
from cnbench.lab.waiting import wait_until

_PATIENCE = 30.0


@dataclass
class Exchange:
    """A connection over which calls are made one after another. Use ``open_exchange``."""

    stream: Stream
    _decoder: ReplyDecoder = field(default_factory=ReplyDecoder)

    def call(self, method: str, asked: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
        """The answer, and when the kernel had the last of it (ns of CLOCK_REALTIME).

        Raises:
            CnbenchError: etcd refused, or does not answer.
        """
        self.stream.send(_request(self.stream, method, asked))
        body, arrived = b"", 0
        while not self._decoder.ended:
            if not select.select([self.stream], [], [], _PATIENCE)[0]:
                raise CnbenchError(f"etcd does not answer {method}")
            for data, at in self.stream.receive():
                body, arrived = body + self._decoder.feed(data), at
        status = self._decoder.status
        self._decoder.next_reply()
        if status != 200:
            raise CnbenchError(f"etcd answers {status} to {method}: {body[:300]!r}")
        return json.loads(body), arrived


@dataclass
class KeyWatcher(Watch):
    """A watch of etcd's keys. Use ``open_key_watcher``.

    The sequence of a change that it is told of is the value's, -1 of a deletion.

    Attributes:
        created: whether etcd has begun it.
    """

    whose = "etcd"

    created: bool = False

    def begun(self) -> bool:
        """Whether etcd has it; reads what has come."""
        self.receive()
        return self.created

    def _take(self, said: dict[str, Any], arrived: int) -> None:
        if "error" in said:
            raise CnbenchError(f"etcd ended a watch: {said['error']}")
        result = said["result"]
        self.created = self.created or result.get("created", False)
        for event in result.get("events", ()):
            about = event["kv"]
            self.version = int(about["mod_revision"])
            deleted = event.get("type") == "DELETE"
            sequence = -1 if deleted else sequence_of(decoded(about["value"]))
            self.told.append(Entry(self.version, decoded(about["key"]), sequence, arrived))


def numbered(sequence: int, size: int) -> str:
    """A value of ``size`` bytes, or a few more, that begins with the number of its write."""
    return f"{sequence}:".ljust(size, "x")


def sequence_of(value: str) -> int:
    """The number of the write that put a value."""
    return int(value.partition(":")[0])


@contextlib.contextmanager
def open_exchange(connect: Callable[[], socket.socket]) -> Iterator[Exchange]:
    """Calls over a connection of their own; raises CnbenchError."""
    with open_stream(connect()) as stream:
        yield Exchange(stream)


@contextlib.contextmanager
def open_key_watcher(
    connect: Callable[[], socket.socket], first: str, end: str
) -> Iterator[KeyWatcher]:
    """A watch of the keys from ``first`` to before ``end``, which etcd has begun.

    Raises:
        CnbenchError: etcd refused it.
    """
    with open_stream(connect()) as stream:
        watcher = KeyWatcher(stream)
        wanted = {"key": coded(first), "range_end": coded(end)}
        stream.send(_request(stream, "watch", {"create_request": wanted}))
        wait_until(watcher.begun, "a watch was not begun", within=_PATIENCE, every=0.0005)
        yield watcher


def _request(stream: Stream, method: str, asked: Mapping[str, Any]) -> bytes:
    body = json.dumps(asked).encode()
    head = (
        f"POST /v3/{method} HTTP/1.1\r\n{stream.head}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
