"""The kernel's memory that each processor has a copy of, taken up to one place in every boot.

It is given out by a search in bitmaps (mm/percpu.c), which costs more the more lies free in pieces,
and where that is is up to the order in which a boot's drivers came. Each mount takes 8 bytes of it,
so that a copy of a mount namespace cost 2 % more or less from boot to boot. So whatever is free
between what is in use is taken, until the kernel has added pages: what comes later lies in those,
one behind the other.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
from pathlib import Path

_BPF = 321  # the system call's number on x86-64
_MAP_CREATE, _PERCPU_ARRAY = 0, 6  # linux/bpf.h
_BYTES, _ENTRIES = 8, 16  # as small as it gives out; a few at a time
_PAGES_MORE = 8
_MOST_MAPS = 20_000


def fill_per_cpu_memory() -> None:
    """Take what is free, and have a process hold it that does nothing else."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            _take_what_is_free()
        finally:
            os.close(writer)
            while True:
                signal.pause()
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)


def _take_what_is_free() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    # Until 5.11 what maps take is counted as locked.
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * _MOST_MAPS, 2 * _MOST_MAPS))
    attributes = struct.pack("=5I", _PERCPU_ARRAY, 4, _BYTES, _ENTRIES, 0)
    before, grown = _pages(), 0
    for _ in range(_MOST_MAPS):
        if libc.syscall(_BPF, _MAP_CREATE, attributes, len(attributes)) < 0:
            return
        now = _pages()
        grown += now > before
        before = now
        if grown >= _PAGES_MORE:
            return


def _pages() -> int:
    """What the kernel has for it, in KiB."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("Percpu:"):
            return int(line.split()[1])
    return 0
