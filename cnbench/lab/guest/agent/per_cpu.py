"""The kernel's memory that each processor has a copy of, given out at one place in every boot.

It is given out by a search in bitmaps (mm/percpu.c): what comes first and fits. Each mount takes 8
bytes, and which pieces lie free, and how many pages before them are in use, is up to chance: what a
boot has left, and what a set-up gave back. Copies of one mount namespace so cost 2 % more or less.

So all that is free between what is in use is taken, up to the beginning of a page that is the same
in every boot, and what lies there next is kept. Once all is set up it is given back (`give_room`),
and what is measured then takes from it, since nothing before it is free.

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
# In bytes: a new network namespace takes some 8 KiB; 32 KiB are the most (PCPU_MIN_UNIT_SIZE).
_ROOM = 24 << 10
# In seconds: a map is given back by a worker, after a grace period of RCU.
_WORKERS_HAVE_FREED = 0.2


def fill_per_cpu_memory() -> int:
    """Take what is free, for good, and then the room that is kept: the process that holds that."""
    _in_process_of_its_own(lambda: fill(_take, _kept))
    return _in_process_of_its_own(lambda: _take(1, _ROOM))


def give_room(holder: int) -> None:
    """Give back the room that ``holder`` holds, and wait until the kernel has done that."""
    os.kill(holder, signal.SIGKILL)
    time.sleep(_WORKERS_HAVE_FREED)


def _in_process_of_its_own(take: Callable[[], None]) -> int:
    """Take something in a process that holds it and does nothing else; its number."""
    reader, writer = os.pipe()
    holder = os.fork()
    if holder == 0:
        try:
            _allow_maps()
            take()
        finally:
            os.close(writer)
            while True:
                signal.pause()
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    return holder


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


def _take(pieces: int, of: int = _BYTES) -> None:
    """Have a map take so many pieces of so many bytes, and then the kernel's worker run.

    Raises:
        OSError: the kernel gives no map.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    attributes = struct.pack("=5I", _PERCPU_ARRAY, 4, of, pieces, 0)
    if libc.syscall(_BPF, _MAP_CREATE, attributes, len(attributes)) < 0:
        raise OSError(ctypes.get_errno(), "no map of the kernel's memory for each processor")
    time.sleep(_WORKER_HAS_RUN)


def _kept() -> int:
    """What the kernel has for it, in KiB."""
    for line in Path("/proc/meminfo").read_bytes().splitlines():
        if line.startswith(b"Percpu:"):
            return int(line.split()[1])
    return 0
