"""Where the bytes of a run lie that are read later, if at all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cnbench.core.errors import UsageError


class Source(Protocol):
    """Something that parts are read from."""

    def read(self, at: int, size: int) -> bytes:
        """``size`` bytes from ``at``, fewer at its end.

        Raises:
            UsageError: it is no longer what it was.
        """


@dataclass(frozen=True)
class InMemory:
    """Bytes that have been read: of a small file, or a pipe."""

    contents: bytes

    def read(self, at: int, size: int) -> bytes:
        """See ``Source``."""
        return self.contents[at : at + size]


@dataclass(frozen=True)
class InFile:
    """A file that is opened for each part: a folder may have more files than can be open."""

    path: Path
    identity: tuple[int, int]

    def read(self, at: int, size: int) -> bytes:
        """See ``Source``."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise UsageError(
                f"the run file {self.path} cannot be read any more: {error.strerror}"
            ) from error
        try:
            if identity_of(os.fstat(descriptor)) != self.identity:
                raise UsageError(
                    f"the run file {self.path} was replaced while it was read", "try again"
                )
            return os.pread(descriptor, size, at)
        finally:
            os.close(descriptor)


def identity_of(found: os.stat_result) -> tuple[int, int]:
    """What tells a file from all others, whatever it is called."""
    return found.st_dev, found.st_ino
