"""What cAdvisor reads of a container's cgroups each time it looks at it.

The names on v1 are those that the cAdvisor of a real kubelet (1.20) opened for one container
(strace; libcontainer's GetStats, and the limits that it looks up again); those on v2 are of
libcontainer's fs2. Each is opened, read and closed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

_OF_MEMORY = ("usage_in_bytes", "max_usage_in_bytes", "failcnt", "limit_in_bytes")
_NAMES = (
    # v1
    "cpuacct.usage", "cpuacct.usage_percpu", "cpuacct.usage_all", "cpuacct.stat",
    *(
        f"memory.{kind}{name}"
        for kind in ("", "memsw.", "kmem.", "kmem.tcp.")
        for name in _OF_MEMORY
    ),
    "memory.use_hierarchy", "memory.numa_stat", "memory.soft_limit_in_bytes",
    "blkio.throttle.io_serviced", "blkio.throttle.io_service_bytes", "blkio.io_serviced_recursive",
    "cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpuset.cpus",
    # either
    "cpu.stat", "memory.stat", "pids.current", "pids.max",
    # v2
    "memory.current", "memory.max", "memory.swap.current", "memory.swap.max", "io.stat",
    "cpu.weight", "cpu.max", "cpuset.cpus.effective",
)  # fmt: skip
_BYTES = 1 << 16


def files_of(groups: Sequence[Path]) -> list[str]:
    """The files of a container's ``groups``, one in each hierarchy, that there are."""
    return [str(group / name) for group in groups for name in _NAMES if (group / name).exists()]


def read_all(files: Iterable[str]) -> int:
    """Read all files: how many bytes there were; raises OSError."""
    return sum(_read(file) for file in files)


def _read(file: str) -> int:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        return len(os.read(descriptor, _BYTES))
    finally:
        os.close(descriptor)


def cpu_time(groups: Sequence[Path]) -> int:
    """The CPU time of a container so far, in ns, by the account of its ``groups``.

    Raises:
        OSError: they keep none.
    """
    for group in groups:
        if (group / "cpuacct.usage").exists():
            return int((group / "cpuacct.usage").read_text())
    lines = (groups[0] / "cpu.stat").read_text().splitlines()
    return 1000 * next(int(line.split()[1]) for line in lines if line.startswith("usage_usec"))
