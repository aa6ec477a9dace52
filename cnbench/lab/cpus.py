"""Keeping a measurement on one processor."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def pinned() -> Iterator[int]:
    """Keep this process on the last processor it may use, and give that processor's number.

    The last one, since interrupts and housekeeping favour the first.
    """
    before = os.sched_getaffinity(0)
    cpu = max(before)
    os.sched_setaffinity(0, {cpu})
    try:
        yield cpu
    finally:
        os.sched_setaffinity(0, before)
