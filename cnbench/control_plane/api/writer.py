"""A connection that changes objects, and knows when the kernel got each answer."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from cnbench.control_plane.api.access import Access
from cnbench.control_plane.api.client import JSON
from cnbench.control_plane.api.decoder import ReplyDecoder
from cnbench.control_plane.api.ledger import Entry
from cnbench.control_plane.api.objects import Kind, name_of
from cnbench.control_plane.api.stream import Stream
from cnbench.control_plane.api.watcher import entry_of
from cnbench.core.errors import CnbenchError

# RFC 7386. Custom resources cannot be replaced without naming the version that is replaced.
_MERGE = "application/merge-patch+json"


@dataclass
class Writer:
    """Use ``open_writer``.

    Attributes:
        stream: its connection.
        kind: what it changes.
        busy: whether an answer is outstanding.
    """

    stream: Stream
    kind: Kind
    busy: bool = False
    _decoder: ReplyDecoder = field(default_factory=ReplyDecoder)
    _body: bytes = b""

    def write(self, number: int, sequence: int) -> None:
        """Ask for ``sequence`` to be put into the object of that number; does not wait."""
        body = json.dumps({"data": {"sequence": str(sequence)}}).encode()
        head = (
            f"PATCH {self.kind.path}/{name_of(number)} HTTP/1.1\r\n{self.stream.head}"
            f"Accept: {JSON}\r\nContent-Type: {_MERGE}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.busy = True
        self.stream.send(head.encode() + body)

    def receive(self) -> Entry | None:
        """The answer, if all of it has come; does not wait.

        Raises:
            CnbenchError: the write was refused, or the server is gone.
        """
        for data, arrived in self.stream.receive():
            self._body += self._decoder.feed(data)
            if self._decoder.ended:
                return self._finish(arrived)
        return None

    def _finish(self, arrived: int) -> Entry:
        status, body = self._decoder.status, self._body
        self._decoder.next_reply()
        self._body = b""
        self.busy = False
        if status != 200:
            raise CnbenchError(f"a write was answered {status}: {body[:300]!r}")
        return entry_of(json.loads(body), arrived)


@contextlib.contextmanager
def open_writer(access: Access, kind: Kind) -> Iterator[Writer]:
    """A connection that changes objects of ``kind``.

    Raises:
        CnbenchError: there is no such server.
    """
    with access.stream() as stream:
        yield Writer(stream, kind)
