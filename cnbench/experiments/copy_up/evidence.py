"""What a copy-up left behind, and which way its data came.

overlayfs copies data in two ways (fs/overlayfs/copy_up.c): it clones the file's extents where both
layers are on one file system that can share them, and splices it piece by piece otherwise. Shared
extents show the first, extents of the file's own the second. With metacopy it may leave the data
below, which an extended attribute of the upper file says.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cnbench.experiments.copy_up.setting import BLOCK

# From linux/fs.h and linux/fiemap.h.
_FS_IOC_FIEMAP = 0xC020660B
_FIEMAP_FLAG_SYNC = 1
_EXTENT_LAST, _EXTENT_SHARED = 0x1, 0x2000
_HEADER = struct.Struct("=QQIIII")
_EXTENT = struct.Struct("=QQQQQIIII")
_EXTENTS_AT_ONCE = 256

CLONED = "clone"
COPIED = "copy"
LEFT_BELOW = "metadata only"
NOTHING = "no data to copy"


@dataclass(frozen=True)
class UpperFile:
    """A file in an upper layer, after it was copied up.

    Attributes:
        size: in bytes.
        allocated: bytes of the file system that it takes.
        shared: bytes of it whose blocks another file has too; None where that cannot be asked.
        attributes: the names of its extended attributes.
    """

    size: int
    allocated: int
    shared: int | None
    attributes: tuple[str, ...]

    def way(self, data: int) -> str:
        """The way the data came up, of which the file has ``data`` bytes."""
        if any(name.endswith(".overlay.metacopy") for name in self.attributes):
            return LEFT_BELOW
        if data == 0:
            return NOTHING
        return CLONED if self.shared and self.shared >= data - BLOCK else COPIED


def examine(path: Path) -> UpperFile | None:
    """The file at ``path`` in an upper layer that is not mounted any more; None if it is not there.

    Every block of it is looked up, so its data is written to the disk first.
    """
    try:
        file = path.stat()
    except FileNotFoundError:
        return None
    return UpperFile(
        file.st_size, file.st_blocks * 512, shared_bytes(path), tuple(sorted(os.listxattr(path)))
    )


def shared_bytes(path: Path) -> int | None:
    """How many bytes of ``path`` are in extents that another file has too (FIEMAP).

    Returns:
        None where the file system cannot say, as tmpfs, which shares nothing.
    """
    try:
        return sum(length for length, flags in _extents(path) if flags & _EXTENT_SHARED)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.ENOTTY):
            return None
        raise


def _extents(path: Path) -> Iterator[tuple[int, int]]:
    """Length and flags of every extent."""
    with path.open("rb") as file:
        start, last = 0, False
        while not last:
            header = _HEADER.pack(
                start, 2**64 - 1 - start, _FIEMAP_FLAG_SYNC, 0, _EXTENTS_AT_ONCE, 0
            )
            answer = bytearray(header + bytes(_EXTENT.size * _EXTENTS_AT_ONCE))
            fcntl.ioctl(file, _FS_IOC_FIEMAP, answer)
            found = _HEADER.unpack_from(answer)[3]
            for index in range(found):
                logical, _at, length, _, _, flags, *_ = _EXTENT.unpack_from(
                    answer, _HEADER.size + index * _EXTENT.size
                )
                yield length, flags
                start, last = logical + length, bool(flags & _EXTENT_LAST)
            last = last or not found
