"""A process in a group that does nothing; it is there sooner than a tenant is."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

from cnbench.lab import libc
from cnbench.lab.cgroups.group import Cgroup


@contextlib.contextmanager
def open_member(group: Cgroup | None) -> Iterator[int]:
    """The number of a process in ``group``, or in none of ours; it is killed on leaving."""
    pid = os.fork()
    if pid == 0:
        libc.die_with_parent(signal.SIGKILL)
        while True:
            signal.pause()
    try:
        if group:
            group.add(pid)
        yield pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
