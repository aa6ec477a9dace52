"""How many guests that count instructions may run at once, and on which processors."""

from __future__ import annotations

import os
import re
from pathlib import Path

from cnbench.lab.guest.qemu import Hardware

# What QEMU needs beside a guest's memory, in MiB: the code it has translated, above all.
_BESIDE = 512


def number_of_jobs(asked: int | None) -> int:
    """How many at once: as ``asked``, or as many as there are processors and memory for.

    A guest seldom touches a third of its memory; it is counted whole, since one that the host ends
    for want of it is worth less than one that waited.
    """
    return asked or max(1, min(len(processors()), _guests_in_memory(Path("/proc/meminfo"))))


def processors() -> list[int]:
    """The processors that this process may run on."""
    return sorted(os.sched_getaffinity(0))


def _guests_in_memory(meminfo: Path) -> int:
    found = re.search(r"MemAvailable:\s+(\d+) kB", meminfo.read_text())
    available = int(found[1]) // 1024 if found else 0
    return available // (Hardware().memory + _BESIDE)
