"""A file that grows at its end; what a killed process appends of it is whole or no record."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from cnbench.core.errors import UsageError
from cnbench.store import whole_file
from cnbench.store.sources import identity_of


class GrowingFile:
    """A file just written whole, of ``size`` bytes, to append to.

    Raises:
        UsageError: it is not there.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self._end = size
        try:
            self._identity = identity_of(whole_file.followed(path).stat())
        except OSError as error:
            raise self._failed(error) from error

    @property
    def in_place(self) -> bool:
        """Whether the path still leads to the file, and nobody else has written into it."""
        try:
            found = whole_file.followed(self.path).stat()
        except OSError:
            return False
        return identity_of(found) == self._identity and found.st_size == self._end

    def append(self, contents: bytes) -> None:
        """Write ``contents`` at the end, and to the disk.

        Raises:
            UsageError: it could not be written (a full disk); the file is as it was before.
        """
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(whole_file.followed(self.path), flags)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                self._write(file.fileno(), contents)
        except OSError as error:
            raise self._failed(error) from error

    def _write(self, descriptor: int, contents: bytes) -> None:
        try:
            left = memoryview(contents)
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)
        except BaseException:
            # A part of a record is none, but the next one must not follow it.
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, self._end)
            raise
        self._end += len(contents)

    def _failed(self, error: OSError) -> UsageError:
        return whole_file.not_written("the run file", self.path, error)
