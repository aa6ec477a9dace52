"""Keeping a measurement on one processor."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path

_SECONDS_TO_LOOK = 0.1


@contextlib.contextmanager
def pinned() -> Iterator[int]:
    """Keep this process on the last processor it may use, and give that processor's number.

    The last one, since interrupts and housekeeping favour the first.
    """
    with kept_on(max(os.sched_getaffinity(0))) as cpu:
        yield cpu


@contextlib.contextmanager
def on_the_idlest() -> Iterator[int]:
    """Keep this process on the processor that was least busy just now, and give its number."""
    with kept_on(_idlest(os.sched_getaffinity(0))) as cpu:
        yield cpu


@contextlib.contextmanager
def kept_on(cpu: int) -> Iterator[int]:
    """Keep this process on the processor ``cpu``, and give its number."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield cpu
    finally:
        os.sched_setaffinity(0, before)


def _idlest(allowed: Collection[int]) -> int:
    """Of ``allowed`` the one that idles most for a moment; of equal ones the last."""
    earlier = _idle_ticks()
    time.sleep(_SECONDS_TO_LOOK)
    later = _idle_ticks()
    return max(allowed, key=lambda cpu: (later.get(cpu, 0) - earlier.get(cpu, 0), cpu))


def _idle_ticks() -> dict[int, int]:
    """How long each processor has idled, in ticks, by its number (proc(5), /proc/stat)."""
    lines = (line.split() for line in Path("/proc/stat").read_text().splitlines())
    return {
        int(name.removeprefix("cpu")): int(columns[3]) + int(columns[4])
        for name, *columns in lines
        if name.startswith("cpu") and name != "cpu"
    }
