"""The control: the same bytes copied without an overlay."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from cnbench.lab.clock import Clock

# overlayfs moves data in pieces of this size (OVL_COPY_UP_CHUNK_SIZE in fs/overlayfs/copy_up.c).
CHUNK = 2**20


def timed_copy(source: Path, target: Path, clock: Clock) -> int:
    """Copy ``source`` to the new file ``target``, have it on the disk, and give the ticks it took.

    By sendfile(2), so that the data takes the kernel's splice as in overlayfs and is never cloned;
    holes are skipped as overlayfs and cp(1) do.
    """
    name = str(target)
    reading = os.open(source, os.O_RDONLY)
    try:
        size = os.fstat(reading).st_size
        took, writing = clock.timed(lambda: _copy(reading, size, name))
        os.close(writing)
        return took
    finally:
        os.close(reading)


def _copy(reading: int, size: int, name: str) -> int:
    """The descriptor of the new file ``name`` once all of it is on the disk."""
    writing = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        _copy_data(reading, writing, size)
        os.fsync(writing)
    except BaseException:
        os.close(writing)
        raise
    return writing


def _copy_data(reading: int, writing: int, size: int) -> None:
    at = 0
    while at < size:
        start = _next_data(reading, at, size)
        if start != at:
            os.lseek(writing, start, os.SEEK_SET)
            at = start
        else:
            at += os.sendfile(writing, reading, at, min(CHUNK, size - at))
    os.ftruncate(writing, size)


def _next_data(reading: int, at: int, size: int) -> int:
    try:
        return os.lseek(reading, at, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nothing but a hole up to the end
            return size
        raise
