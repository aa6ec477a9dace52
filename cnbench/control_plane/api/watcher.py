"""Watches: connections over which an API server tells of every change, as it happens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cnbench.control_plane.api.access import Access
from cnbench.control_plane.api.client import JSON
from cnbench.control_plane.api.ledger import Entry
from cnbench.control_plane.api.objects import Kind
from cnbench.control_plane.api.watch import Watch
from cnbench.core.errors import CnbenchError
from cnbench.lab.waiting import wait_until

# Longer than any measurement; an API server ends a watch after half an hour or more by itself.
_SECONDS = 86_400
_PATIENCE = 30.0
GONE = 410


class GoneError(CnbenchError):
    """The server does not know the version any more that a watch was to go on from."""


@dataclass
class Watcher(Watch):
    """A watch of an API server's. Use ``open_watcher``.

    Attributes:
        version: the last that it was told of, in an event or a bookmark.
        bookmarks: how many there were.
    """

    whose = "the API server"

    bookmarks: int = 0

    def begun(self) -> bool:
        """Whether the server has answered; reads what has come."""
        self.receive()
        return self._decoder.status == 200

    def _refusal(self, body: bytes) -> CnbenchError:
        if self._decoder.status == GONE:
            return GoneError("the version to go on from is gone")
        return super()._refusal(body)

    def _take(self, event: dict[str, Any], arrived: int) -> None:
        about = event["object"]
        if event["type"] == "ERROR":
            if about.get("code") == GONE:
                raise GoneError(str(about.get("message")))
            raise CnbenchError(f"the watch was told of an error: {about}")
        self.version = int(about["metadata"]["resourceVersion"])
        if event["type"] == "BOOKMARK":
            self.bookmarks += 1
            return
        self.told.append(entry_of(about, arrived))


def entry_of(about: dict[str, Any], arrived: int) -> Entry:
    """What an object of ours says of itself."""
    return Entry(
        int(about["metadata"]["resourceVersion"]),
        about["metadata"]["name"],
        int(about["data"]["sequence"]),
        arrived,
    )


@contextlib.contextmanager
def open_watcher(access: Access, kind: Kind, version: int) -> Iterator[Watcher]:
    """A watch of all that happens to ``kind`` after ``version``, which has been answered.

    Args:
        access: the way to the server.
        kind: what is watched.
        version: where it begins.

    Raises:
        GoneError: the server does not know that version any more.
        CnbenchError: the server refused.
    """
    with access.stream() as stream:
        watcher = Watcher(stream, version)
        path = (
            f"{kind.path}?watch=true&allowWatchBookmarks=true&resourceVersion={version}"
            f"&timeoutSeconds={_SECONDS}"
        )
        head = f"GET {path} HTTP/1.1\r\n{stream.head}Accept: {JSON}\r\n\r\n"
        stream.send(head.encode())
        wait_until(watcher.begun, "a watch was not answered", within=_PATIENCE, every=0.0005)
        yield watcher
