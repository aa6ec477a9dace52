"""The container's own process: it notes when its first instruction ran, and waits to be killed.

A program of a few instructions in an ELF file that is written here, so that nothing (a loader, a
libc, an interpreter) comes between execve and the time that it takes. It keeps the time in its own
memory, where whoever may look into it finds it: no pipe, file or mount is needed for that, so all
runtimes start it alike.
"""

from __future__ import annotations

import errno
import platform
import struct
from pathlib import Path

from cnbench.core.errors import CnbenchError, UnsupportedError

# Where the image has it.
PROGRAM = "/bin/first-process"
_CODE_AT, _NOTE_AT = 0x400000, 0x600000
_HEADERS = 64 + 2 * 56
_PAGE = 4096
# clock_gettime(CLOCK_MONOTONIC, _NOTE_AT), then pause for good.
_CODE = bytes.fromhex(
    "b8e4000000"  # mov eax, 228
    "bf01000000"  # mov edi, 1
    "be00006000"  # mov esi, 0x600000
    "0f05"  # syscall
    "b822000000"  # again: mov eax, 34
    "0f05"  # syscall
    "ebf7"  # jmp again
)


def program() -> bytes:
    """The program as an ELF file.

    Raises:
        UnsupportedError: this processor's instructions are not known.
    """
    if platform.machine() != "x86_64":
        raise UnsupportedError(
            f"the container's program is not written for {platform.machine()}",
            "use an x86-64 machine",
        )
    # elf(5): a 64-bit executable with one segment to execute and one, empty in the file, to write.
    header = struct.pack(
        "=16sHHIQQQIHHHHHH",
        b"\x7fELF\2\1\1", 2, 62, 1, _CODE_AT + _HEADERS, 64, 0, 0, 64, 56, 2, 0, 0, 0,
    )  # fmt: skip
    size = _HEADERS + len(_CODE)
    text = struct.pack("=IIQQQQQQ", 1, 5, 0, _CODE_AT, _CODE_AT, size, size, _PAGE)
    note = struct.pack("=IIQQQQQQ", 1, 6, 0, _NOTE_AT, _NOTE_AT, 0, _PAGE, _PAGE)
    return header + text + note + _CODE


def first_instruction(processes: Path, pid: int) -> int:
    """When the program began to run, in ns of CLOCK_MONOTONIC; 0 where it has not yet.

    Args:
        processes: the folder of /proc in which its number is ``pid``.
        pid: the process.

    Raises:
        CnbenchError: there is no such process.
    """
    try:
        if (processes / str(pid) / "exe").readlink().name != Path(PROGRAM).name:
            return 0  # it is still the runtime's
        with (processes / str(pid) / "mem").open("rb", buffering=0) as memory:
            memory.seek(_NOTE_AT)
            seconds, rest = struct.unpack("=qq", memory.read(16))
    except OSError as error:
        if error.errno == errno.EIO:  # execve has not mapped it yet
            return 0
        raise CnbenchError(f"the container's process {pid}: {error.strerror}") from error
    return int(seconds) * 1_000_000_000 + int(rest)
