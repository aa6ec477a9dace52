"""The kernel's memory that each processor has a copy of, in use up to one place in every boot.

It is given out by a search (mm/percpu.c): what comes first and fits. Where nothing lies free before
the part that nobody has used yet, all pages from there to the end of 2 MiB are gone through for it,
12 instructions each. Each mount takes 8 bytes, so that a new mount namespace costs 1,000 less where
a boot has used ten pages more. So what is free in between is taken, up to the beginning of a page
that is the same in every boot, and what comes later lies behind that, one after the other.

How far we are, the kernel tells by the pages it has for it. A worker of its own adds those, some at
a time, when few are empty: how many, and at which piece, would be up to when it came to run. So it
is let run after every piece.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import time
from collections.abc import Callable
from pathlib import Path

_BPF = 321  # the system call's number on x86-64
_MAP_CREATE, _PERCPU_ARRAY = 0, 6  # linux/bpf.h
_BYTES = 8  # as small as a map's entries are
_SOME = 16  # entries of a map
_MOST_MAPS = 20_000
# In seconds, on a clock on which waiting passes at once.
_WORKER_HAS_RUN = 0.001
# Debian's kernels have 260 to 280 KiB when they have booted (5.10 to 7.2), and less than the least
# that is taken lies free in it.
_GOAL, _LEAST = 340, 40  # KiB
# What the worker adds at once, at most.
_ADDED = 16  # KiB


def fill_per_cpu_memory() -> None:
    """Take what is free, and have a process hold it that does nothing else."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            _allow_maps()
            fill(_take, _kept)
        finally:
            os.close(writer)
            while True:
                signal.pause()
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)


def fill(take: Callable[[int], None], kept: Callable[[], int]) -> None:
    """Have all taken up to the first bytes of a page, which is the same whatever was free before.

    ``take`` takes so many pieces; ``kept`` says how many KiB the kernel has, in use or empty.
    """
    goal = _GOAL
    while goal - kept() < _LEAST:
        goal *= 2
    added = 0
    while kept() < goal:
        added = _grow(take, kept, _SOME)
    # It adds more at the first piece of a page, as far on as what it has just added.
    _take_all(take, added * 1024 // _BYTES - _SOME)
    _grow(take, kept, 1)
    _take_all(take, (goal + 2 * _ADDED - kept()) * 1024 // _BYTES)


def _grow(take: Callable[[int], None], kept: Callable[[], int], pieces: int) -> int:
    """Take so many at a time until the kernel has more; how many KiB more."""
    before = kept()
    while kept() == before:
        take(pieces)
    return kept() - before


def _take_all(take: Callable[[int], None], pieces: int) -> None:
    for _ in range(pieces // _SOME):
        take(_SOME)


def _allow_maps() -> None:
    # Until 5.11 what maps take is counted as locked.
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * _MOST_MAPS, 2 * _MOST_MAPS))


def _take(pieces: int) -> None:
    """Have a map take so many pieces, and the kernel's worker run if that made it wish to.

    Raises:
        OSError: the kernel gives no map.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    attributes = struct.pack("=5I", _PERCPU_ARRAY, 4, _BYTES, pieces, 0)
    if libc.syscall(_BPF, _MAP_CREATE, attributes, len(attributes)) < 0:
        raise OSError(ctypes.get_errno(), "no map of the kernel's memory for each processor")
    time.sleep(_WORKER_HAS_RUN)


def _kept() -> int:
    """What the kernel has for it, in KiB."""
    for line in Path("/proc/meminfo").read_bytes().splitlines():
        if line.startswith(b"Percpu:"):
            return int(line.split()[1])
    return 0
