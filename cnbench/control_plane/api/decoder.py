"""Reading HTTP/1.1 replies (RFC 9112) from bytes as they come, for answers that have no end."""

from __future__ import annotations

from cnbench.core.errors import CnbenchError

_BLANK = b"\r\n\r\n"
_LINE = b"\r\n"


class ReplyDecoder:
    """Takes what comes over a connection, one reply after another, and gives what they contain.

    Attributes:
        status: of the reply that is being read; 0 before its head is there.
        ended: whether all of that reply was read.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = 0
        self._chunked = False
        self._begin()

    def _begin(self) -> None:
        self.status = 0
        self.ended = False

    def next_reply(self) -> None:
        """Read another reply, which follows the one that has ended."""
        self._begin()

    def feed(self, data: bytes) -> bytes:
        """What ``data`` adds to the body of the reply that is being read.

        Raises:
            CnbenchError: that is not HTTP/1.1.
        """
        self._buffer += data
        if not self.status and not self._take_head():
            return b""
        return self._take_chunks() if self._chunked else self._take(self._left)

    def _take_head(self) -> bool:
        end = self._buffer.find(_BLANK)
        if end < 0:
            return False
        first, *lines = bytes(self._buffer[:end]).split(_LINE)
        del self._buffer[: end + len(_BLANK)]
        fields = dict(line.lower().split(b": ", 1) for line in lines)
        try:
            self.status = int(first.split(b" ")[1])
            self._chunked = fields.get(b"transfer-encoding") == b"chunked"
            self._left = 0 if self._chunked else int(fields[b"content-length"])
        except (ValueError, IndexError, KeyError) as error:
            raise CnbenchError(f"the server's reply begins with {first!r}: no HTTP") from error
        return True

    def _take(self, wanted: int) -> bytes:
        """As much of ``wanted`` bytes of the body as there is."""
        taken = bytes(self._buffer[:wanted])
        del self._buffer[:wanted]
        self._left -= len(taken)
        self.ended = not self._chunked and self._left == 0
        return taken

    def _take_chunks(self) -> bytes:
        """The whole chunks that there are: a server flushes whole ones."""
        taken = b""
        while not self.ended and (end := self._buffer.find(_LINE)) >= 0:
            size = int(bytes(self._buffer[:end]).split(b";")[0], 16)
            after = end + len(_LINE) + size
            if len(self._buffer) < after + len(_LINE):
                break
            taken += self._buffer[end + len(_LINE) : after]
            del self._buffer[: after + len(_LINE)]
            self.ended = size == 0
        return taken
