"""The ways to be told of a kill, each from now on and for one group."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from cnbench.containers.grpc_client import OUT_OF_MEMORY, GrpcClient
from cnbench.core.errors import CnbenchError
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.cgroups.oom import OomNotices, oom_kills, open_oom_notices
from cnbench.lab.clock import Clock
from cnbench.lab.kernel_log import KernelLog, open_kernel_log

# Seconds until a notice that must come, and after which no more come.
_PATIENCE, _QUIET = 10.0, 0.3


class Way(Protocol):
    """Somebody who is told of kills."""

    def forget(self) -> None:
        """Drop what has been told so far."""

    def wait(self) -> int:
        """The clock's reading when a kill is told; raises CnbenchError if none is."""

    def more(self) -> int:
        """How many more kills were told of, when no more are."""


@dataclass
class ByGroup:
    """The group's own notice.

    v1 tells of nothing else, and counts how often it did. v2 tells that memory.events has changed,
    as it does each time that the limit is met: whoever is told looks whether there was a kill.
    """

    group: Cgroup
    notices: OomNotices
    _kills: int = field(default=0)

    def forget(self) -> None:
        """Drop what has been told so far."""
        self.notices.forget()
        self._kills = oom_kills(self.group)

    def wait(self) -> int:
        """The clock's reading when a kill is told; raises CnbenchError if none is."""
        while True:
            now = self.notices.wait()
            if self.group.version == "v1":
                return now
            self.notices.forget()
            if oom_kills(self.group) > self._kills:
                return Clock.ticks()

    def more(self) -> int:
        """How many more kills were told of."""
        if self.group.version == "v2":
            return oom_kills(self.group) - self._kills - 1
        return os.eventfd_read(self.notices.descriptor) - 1


@dataclass
class ByLog:
    """The kernel's log."""

    log: KernelLog

    def forget(self) -> None:
        """Drop what has been told so far."""
        self.log.forget()

    def wait(self) -> int:
        """The clock's reading when a kill is told; raises CnbenchError if none is."""
        if not self.log.told(_PATIENCE):
            raise CnbenchError("the kernel's log did not tell of the kill")
        return Clock.ticks()

    def more(self) -> int:
        """How many more kills were told of."""
        return _count(lambda: self.log.told(_QUIET))


@dataclass
class ByEvent:
    """containerd's event of a container's group."""

    client: GrpcClient
    container: str

    def forget(self) -> None:
        """Drop what has been told so far."""
        self.more()

    def wait(self) -> int:
        """When an event came, in ns; raises CnbenchError if none does."""
        return self.client.told(OUT_OF_MEMORY, self.container, _PATIENCE).ended

    def more(self) -> int:
        """How many more kills were told of."""
        return _count(self._told)

    def _told(self) -> bool:
        try:
            self.client.told(OUT_OF_MEMORY, self.container, _QUIET)
        except CnbenchError:
            return False
        return True


def _count(told: Callable[[], bool]) -> int:
    count = 0
    while told():
        count += 1
    return count


@contextlib.contextmanager
def open_by_group(group: Cgroup) -> Iterator[ByGroup]:
    """The notice of ``group``."""
    with open_oom_notices(group) as notices:
        yield ByGroup(group, notices)


@contextlib.contextmanager
def open_by_log(group: Cgroup) -> Iterator[ByLog]:
    """The kernel's log, for what it says of ``group``; raises UnsupportedError."""
    with open_kernel_log("/".join(group.folder.parts[-2:])) as log:
        yield ByLog(log)
