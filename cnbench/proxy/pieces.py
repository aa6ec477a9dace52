"""Programs in pieces: a tool reads the first while the next are still being written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import perf_counter

# Lines of some hundred bytes: a piece fits in a pipe, and a second processor has work at once.
_LINES = 500


def in_pieces(lines: Iterable[Iterable[str]]) -> Iterator[str]:
    """Join lines, which come some at a time, into texts of about as many each."""
    piece: list[str] = []
    for some in lines:
        piece += some
        if len(piece) >= _LINES:
            piece.append("")
            yield "\n".join(piece)
            piece = []
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
