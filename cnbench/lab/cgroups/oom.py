"""Being told that a memory cgroup ran out: an eventfd on v1, inotify on v2."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Iterator
from dataclasses import dataclass

from cnbench.core.errors import CnbenchError
from cnbench.lab import libc
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.clock import Clock

_PATIENCE = 30.0


@dataclass(frozen=True)
class OomNotices:
    """A descriptor that becomes readable when the group runs out. Use ``open_oom_notices``."""

    descriptor: int

    def wait(self) -> int:
        """Wait for the next notice; the clock's reading when it came.

        Raises:
            CnbenchError: none comes.
        """
        ready, _, _ = select.select([self.descriptor], [], [], _PATIENCE)
        now = Clock.ticks()
        if not ready:
            raise CnbenchError("the kernel did not tell that the group ran out of memory")
        return now

    def forget(self) -> None:
        """Drop all notices that have come so far."""
        while select.select([self.descriptor], [], [], 0)[0]:
            os.read(self.descriptor, 4096)


@contextlib.contextmanager
def open_oom_notices(group: Cgroup) -> Iterator[OomNotices]:
    """Notices of ``group`` (Documentation/admin-guide/cgroup-v1/memory.rst, 10; cgroup-v2.rst)."""
    if group.version == "v2":
        descriptor = libc.inotify(str(group.folder / "memory.events"))
    else:
        descriptor = os.eventfd(0, os.EFD_CLOEXEC)
    try:
        if group.version == "v1":
            with (group.folder / "memory.oom_control").open() as control:
                group.write("cgroup.event_control", f"{descriptor} {control.fileno()}")
        yield OomNotices(descriptor)
    finally:
        os.close(descriptor)


def oom_kills(group: Cgroup) -> int:
    """How many processes of ``group`` the kernel has killed for want of memory."""
    name = "memory.events" if group.version == "v2" else "memory.oom_control"
    return group.table(name)["oom_kill"]
