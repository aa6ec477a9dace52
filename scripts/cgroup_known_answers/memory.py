"""What is known beforehand of limits to memory."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import select
import signal
import time

from answering import AbsentError, hold
from disks import disk
from groups import group_of, in_group, refusal

_PAGE = mmap.PAGESIZE
# MEMCG_CHARGE_BATCH of linux/memcontrol.h, in pages.
_BATCH = 64


def memory() -> None:
    """The most that was charged is the limit, but for a batch."""
    with group_of("memory") as (version, folder):
        limit = 24 * 2**20
        (folder / {"v1": "memory.limit_in_bytes", "v2": "memory.max"}[version]).write_text(
            str(limit)
        )

        def grow() -> int:
            ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # no huge pages
            memory = mmap.mmap(-1, 2 * limit, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            for at in range(0, 2 * limit, _PAGE):
                memory[at] = 1
            return 0

        _, status = os.waitpid(in_group(folder, grow), 0)
        hold("how the one that grew ended", -signal.SIGKILL, os.waitstatus_to_exitcode(status))
        peak = folder / {"v1": "memory.max_usage_in_bytes", "v2": "memory.peak"}[version]
        if peak.exists():
            charged = int(peak.read_text())
            close = limit - _BATCH * _PAGE <= charged <= limit
            hold("most that was charged", f"{limit} less a batch at most", charged, close)


def reclaim() -> None:
    """At least what was asked for is taken back, and more than there is is refused."""
    with group_of("memory") as (version, folder), disk(16 * 2**20) as device:
        file = folder / "memory.reclaim"
        if version == "v1" or not file.exists():
            raise AbsentError("memory.reclaim is of v2, since Linux 5.19")

        def write() -> int:
            with device.open("wb") as disk_file:
                disk_file.write(bytes(16 * 2**20))
                disk_file.flush()
                os.fsync(disk_file.fileno())
            return 0

        # Whoever closes a disk last forgets what is cached of it.
        kept = os.open(device, os.O_RDONLY)
        try:
            os.waitpid(in_group(folder, write), 0)
            before = int((folder / "memory.current").read_text())
            file.write_text(str(8 * 2**20))
            less = before - int((folder / "memory.current").read_text())
            hold("bytes taken back of 8 MiB", "8 MiB, a quarter more at most", less,
                 8 * 2**20 <= less <= 10 * 2**20)  # fmt: skip
            hold("64 MiB more are refused with", errno.EAGAIN, refusal(file, str(64 * 2**20)))
        finally:
            os.close(kept)


def pressure() -> None:
    """A trigger tells of 100 ms of stall in a second: not before, and within a tenth of it."""
    with group_of("memory") as (version, folder):
        file = folder / "memory.pressure"
        if version == "v1" or not file.exists():
            raise AbsentError("pressure is accounted for on v2")
        limit = 30 * 2**20
        (folder / "memory.high").write_text(str(limit))
        try:
            trigger = os.open(file, os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            raise AbsentError(f"no pressure: {error.strerror}") from None
        os.write(trigger, b"some 100000 1000000\0")
        poll = select.poll()
        poll.register(trigger, select.POLLPRI)
        reader, writer = os.pipe()

        def grow() -> int:
            ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # no huge pages
            room = limit - int((folder / "memory.current").read_text())
            memory = mmap.mmap(-1, room + 2**21, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            for at in range(0, room, _PAGE):
                memory[at] = 1
            os.write(writer, b".")
            for at in range(room, room + 2**21, _PAGE):
                memory[at] = 1
            return 0

        hold("notices before", 0, len(poll.poll(0)))
        child = in_group(folder, grow)
        os.read(reader, 1)
        began = time.monotonic()
        told = len(poll.poll(20_000))
        took = time.monotonic() - began
        os.waitpid(child, 0)
        for descriptor in (trigger, reader, writer):
            os.close(descriptor)
        hold("notices", 1, told)
        hold("seconds until told", "0.1 to 0.24", f"{took:.3f}", 0.1 <= took <= 0.24)
