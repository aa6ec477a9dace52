"""What a compressed kernel file says of itself, and the kernel inside it.

Layout: the kernel's Documentation/arch/x86/boot.rst (the real-mode kernel header).
"""

from __future__ import annotations

import struct
from pathlib import Path

from cnbench.core.errors import CommandError
from cnbench.lab.guest.build.toolbox import Toolbox
from cnbench.lab.guest.errors import GuestError

_MAGIC_AT, _MAGIC = 0x202, b"HdrS"
_SETUP_SECTORS_AT = 0x1F1
_VERSION_POINTER_AT = 0x20E
_PAYLOAD_AT = 0x248
_SECTOR = 512
# The first bytes of what the payload was packed with, and the userland's program that unpacks it.
_UNPACKERS = {
    b"\x02\x21\x4c\x18": "lz4",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ": "xz",
    b"\x1f\x8b": "gzip",
}
_LENGTH_FIELD = 4


def release(path: Path) -> str:
    """The release (``uname -r``) of the kernel in ``path``.

    Raises:
        GuestError: it is not a compressed x86 kernel.
    """
    image = _read(path)
    (pointer,) = struct.unpack_from("<H", image, _VERSION_POINTER_AT)
    version = image[pointer + _SECTOR :].split(b"\0", 1)[0].decode(errors="replace")
    return version.split(" ")[0]


def unpack(path: Path, toolbox: Toolbox) -> bytes:
    """The uncompressed kernel (ELF) inside ``path``.

    A guest boots it directly, by PVH: it neither unpacks itself under emulation, which takes
    seconds, nor picks a random address to run at, which happens in the same stage.

    Raises:
        GuestError: it is not a compressed x86 kernel, or packed in a way not known here.
    """
    image = _read(path)
    sectors = image[_SETUP_SECTORS_AT] or 4
    offset, length = struct.unpack_from("<II", image, _PAYLOAD_AT)
    start = (sectors + 1) * _SECTOR + offset
    # The build appends the unpacked length, which the unpackers would take for rubbish.
    payload = image[start : start + length - _LENGTH_FIELD]
    for magic, program in _UNPACKERS.items():
        if payload.startswith(magic):
            try:
                return toolbox.run(f"usr/bin/{program}", "-dc", input=payload)
            except CommandError as error:
                raise GuestError(f"the kernel in {path} is damaged: {error}") from error
    raise GuestError(
        f"the kernel in {path} is packed in a way cnbench does not know",
        f"known: {', '.join(_UNPACKERS.values())}",
    )


def _read(path: Path) -> bytes:
    try:
        image = path.read_bytes()
    except OSError as error:
        raise GuestError(f"the kernel {path} cannot be read: {error.strerror}") from error
    if image[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] != _MAGIC or len(image) < _PAYLOAD_AT + 8:
        raise GuestError(
            f"{path} is not a Linux kernel for this machine (a bzImage)",
            "give the vmlinuz of an amd64 kernel",
        )
    return image
