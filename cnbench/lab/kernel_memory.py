"""Memory that the kernel uses for itself, on the whole machine."""

from __future__ import annotations

from pathlib import Path

# What of /proc/meminfo is the kernel's own (proc_meminfo(5)); per-CPU memory is not in its slabs.
_OWN = ("Slab", "KernelStack", "PageTables", "Percpu")


def in_use() -> int:
    """Bytes in use now; only differences mean anything, and on a machine that is quiet."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    table = {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}
    return sum(int(table[name][0]) * 1024 for name in _OWN if name in table)
