"""Whether a quota stops a thread inside a system call."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour
from cnbench.lab import libc
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.host import Lab

_PERIOD_US = 100_000
_QUOTA_US = 5_000
_MOST = 32 << 20
# Of the processor's time in one call: with the quota, it would take twenty periods.
_LONG = 0.1
_EVERY = 0.01


def _limit(group: Cgroup, quota: int) -> None:
    if group.version == "v2":
        group.write("cpu.max", f"{quota or 'max'} {_PERIOD_US}")
    else:
        group.write("cpu.cfs_period_us", _PERIOD_US)
        group.write("cpu.cfs_quota_us", quota or -1)


def _bytes_that_take(seconds: float) -> int:
    """How many random bytes one call makes in about so much time."""
    amount = 1 << 16
    while amount < _MOST:
        began = time.thread_time()
        os.getrandom(amount)
        if time.thread_time() - began > seconds:
            break
        amount *= 2
    return amount


def _used(pid: int) -> float:
    """Seconds that a process has used the processor."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


@contextlib.contextmanager
def _calling(amount: int, calls: int) -> Iterator[int]:
    """The number of a child that waits for SIGCONT, and then asks for ``amount`` in some calls."""
    pid = os.fork()
    if pid == 0:
        libc.die_with_parent(signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGSTOP)
        for _ in range(calls):
            os.getrandom(amount // calls)
        signal.pause()
    try:
        os.waitpid(pid, os.WUNTRACED)
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _took(pid: int, most: float) -> float:
    """Seconds until the child has used most of what its call takes; ``most`` where it has not."""
    before, began = _used(pid), time.monotonic()
    os.kill(pid, signal.SIGCONT)
    while _used(pid) - before < 0.8 * _LONG and time.monotonic() - began < most:
        time.sleep(_EVERY)
    return min(most, time.monotonic() - began)


def _probe(lab: Lab, quota: int = _QUOTA_US, calls: int = 1) -> str:
    version = next((hierarchy.version for hierarchy in hierarchies.find("cpu")), "v2")
    amount = _bytes_that_take(_LONG)
    # Half of what a call takes that is stopped whenever the quota is used up.
    limit = 0.4 * _LONG * 1e6 / _QUOTA_US * _PERIOD_US / 1e6
    with lab.cgroup("cpu", version) as group, _calling(amount, calls) as pid:
        _limit(group, quota)
        group.add(pid)
        return "stopped inside" if _took(pid, limit) >= limit else "runs to its end"


BEHAVIOUR = Behaviour(
    name="cgroups.quota-in-system-call",
    question="Does a CPU quota stop a thread in the middle of a system call?",
    method=f"makes one getrandom of {_LONG * 1e3:.0f} ms with {_QUOTA_US / 1e3:.0f} ms a period",
    matters="where it does, a thread may be stopped that holds what others wait for; where it does "
    "not, the quota is overshot by the length of the call",
    source="kernel/sched/fair.c: throttle_cfs_rq, throttle_cfs_rq_work",
    probe=_probe,
    controls=(partial(_probe, quota=0), partial(_probe, calls=1000)),
)
