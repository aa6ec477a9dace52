"""Programs in pieces: a tool reads the first while the next are still being written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import perf_counter

# A piece fits in a pipe of any size, and a second processor has work at once.
_PIECE_CHARACTERS = 1 << 15


def in_pieces(lines: Iterable[Iterable[str]]) -> Iterator[str]:
    """Join lines, which come some at a time, into texts of about the same length.

    What comes as one line may be several, without the last one's end.
    """
    piece: list[str] = []
    size = 0
    for some in lines:
        for line in some:
            piece.append(line)
            size += len(line)
        if size >= _PIECE_CHARACTERS:
            piece.append("")
            yield "\n".join(piece)
            piece, size = [], 0
    if piece:
        piece.append("")
        yield "\n".join(piece)


class Metered:
    """Pieces on their way to a tool: how long it took to write them, and their bytes so far."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = iter(pieces)
        self.seconds = 0.0
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        began = perf_counter()
        try:
            piece = next(self._pieces)
        finally:
            self.seconds += perf_counter() - began
        self.size += len(piece)
        return piece
