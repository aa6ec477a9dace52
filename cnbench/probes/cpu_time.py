"""Where CPU time went, by the kernel's own account.

/proc/stat counts in ticks of 10 ms (proc(5), USER_HZ): right over many samples, coarse over one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.counted import Counted

_TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class CpuTime(Counted):
    """Seconds of CPU time by kind; what a hypervisor took away is in none of them."""

    user: float = 0.0
    system: float = 0.0
    softirq: float = 0.0
    idle: float = 0.0

    @property
    def busy(self) -> float:
        """Seconds that were not idle."""
        return self.user + self.system + self.softirq


def cpu_time(cpu: int | None = None) -> CpuTime:
    """The CPU time of one processor, or of the whole machine, since it was started."""
    return parse_stat(Path("/proc/stat").read_text(), "cpu" if cpu is None else f"cpu{cpu}")


def parse_stat(text: str, name: str) -> CpuTime:
    """The line called ``name`` of /proc/stat; time in interrupts is counted as softirq."""
    line = next(line for line in text.splitlines() if line.split()[0] == name)
    user, nice, system, idle, iowait, irq, softirq = (
        int(field) * _TICK for field in line.split()[1:8]
    )
    return CpuTime(user + nice, system, softirq + irq, idle + iowait)


def run_delay(process: int | None = None) -> float:
    """Seconds that a task was runnable and not running, since it began (schedstat).

    It is this thread, or the main thread of ``process``; 0 where the kernel does not say.
    """
    task = "thread-self" if process is None else str(process)
    try:
        return int(Path(f"/proc/{task}/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0
