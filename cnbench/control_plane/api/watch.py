"""A connection over which a server tells of every change as it happens, a line of JSON each."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

from cnbench.control_plane.api.decoder import ReplyDecoder
from cnbench.control_plane.api.ledger import Entry
from cnbench.control_plane.api.stream import Stream
from cnbench.core.errors import CnbenchError


@dataclass
class Watch:
    """What API servers and etcd have in common; ``_take`` reads what either says.

    Attributes:
        stream: its connection.
        version: the last that it was told of.
        told: changes that nobody has taken yet, as they came.
    """

    whose: ClassVar[str]

    stream: Stream
    version: int = 0
    told: list[Entry] = field(default_factory=list)
    _decoder: ReplyDecoder = field(default_factory=ReplyDecoder)
    _rest: bytes = b""

    def receive(self) -> None:
        """Read what has come, without waiting.

        Raises:
            CnbenchError: the watch has ended, or the server refused it.
        """
        for data, arrived in self.stream.receive():
            body = self._rest + self._decoder.feed(data)
            if self._decoder.status not in (0, 200):
                raise self._refusal(body)
            *lines, self._rest = body.split(b"\n")
            for line in lines:
                self._take(json.loads(line), arrived)
            if self._decoder.ended:
                raise CnbenchError(f"{self.whose} ended a watch")

    def take(self) -> list[Entry]:
        """The changes since this was asked last."""
        taken, self.told = self.told, []
        return taken

    def _refusal(self, body: bytes) -> CnbenchError:
        status = self._decoder.status
        return CnbenchError(f"{self.whose} answered {status} to a watch: {body[:300]!r}")

    def _take(self, said: dict[str, Any], arrived: int) -> None:
        raise NotImplementedError
