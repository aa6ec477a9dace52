"""Programs in chunks: a tool reads the first while the next are still being written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# A chunk fits in a pipe of any size, and a second processor has work at once.
_CHUNK_CHARACTERS = 1 << 15


def in_chunks(lines: Iterable[Iterable[str]]) -> Iterator[str]:
    """Join lines, which come some at a time, into texts of about the same length.

    What comes as one line may be several, without the last one's end.
    """
    chunk: list[str] = []
    size = 0
    for some in lines:
        for line in some:
            chunk.append(line)
            size += len(line)
        if size >= _CHUNK_CHARACTERS:
            chunk.append("")
            yield "\n".join(chunk)
            chunk, size = [], 0
    if chunk:
        chunk.append("")
        yield "\n".join(chunk)
