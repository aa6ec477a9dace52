"""The archive a kernel unpacks as its first root: cpio in the "newc" form.

Layout: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
"""

from __future__ import annotations

import stat

_TRAILER = "TRAILER!!!"


class Archive:
    """A cpio archive in memory; the same entries in the same order give the same bytes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._entries = 0

    def folder(self, name: str) -> None:
        """Add a folder, after those it lies in."""
        self._add(name, stat.S_IFDIR | 0o755, b"")

    def file(self, name: str, contents: bytes, mode: int = 0o644) -> None:
        """Add a regular file."""
        self._add(name, stat.S_IFREG | mode, contents)

    def character_device(self, name: str, major: int, minor: int) -> None:
        """Add a device node."""
        self._add(name, stat.S_IFCHR | 0o600, b"", (major, minor))

    def finished(self) -> bytes:
        """The archive, with its end."""
        self._add(_TRAILER, 0, b"")
        return b"".join(self._parts)

    def _add(self, name: str, mode: int, contents: bytes, device: tuple[int, int] = (0, 0)) -> None:
        self._entries += 1
        encoded = name.encode() + b"\0"
        owner = group = time = major = minor = checksum = 0
        fields = [self._entries, mode, owner, group, 1, time, len(contents)]
        fields += [major, minor, *device, len(encoded), checksum]
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self._parts += [_padded(header + encoded), _padded(contents)]


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
