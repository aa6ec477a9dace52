"""Who lives in a namespace beside its first process: further processes, or threads of it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnbench.lab.namespaces.kinds import Kind
from cnbench.lab.waiting import wait_until

CLONE_VM = 0x100
_CLONE_SIGHAND, _CLONE_PARENT, _CLONE_THREAD = 0x800, 0x8000, 0x10000
_PATIENCE = 30.0


@dataclass(frozen=True)
class Company:
    """So many processes, or so many threads, beside a resident and made by it."""

    processes: int = 0
    threads: int = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return self.processes + self.threads

    def flags(self, kinds: Sequence[Kind]) -> int:
        """Clone's flags for one of them, for a resident in new namespaces of ``kinds``."""
        if self.threads:
            return CLONE_VM | _CLONE_SIGHAND | _CLONE_THREAD
        return CLONE_VM | signal.SIGCHLD | (0 if _ends_all(kinds) else _CLONE_PARENT)

    @contextlib.contextmanager
    def waiting(self, kinds: Sequence[Kind], told: int) -> Iterator[int]:
        """What they read from until they end: ``told``, as the resident does, or what never comes.

        Of a pipe whose writing end each of them has, too.
        """
        if not _ends_all(kinds) or self.threads:
            yield told
            return
        ends = os.pipe2(os.O_CLOEXEC)
        try:
            yield ends[0]
        finally:
            for end in ends:
                os.close(end)

    def gathered(self, pid: int, kinds: Sequence[Kind]) -> list[int]:
        """Once all are there: those that the maker of the resident ``pid`` has to wait for.

        Raises:
            CnbenchError: they do not come.
        """
        if self.threads:
            _wait_until(lambda: threads(pid) == self.threads + 1)
        if self.processes:
            _wait_until(lambda: len(neighbours(pid, kinds[0])) == self.processes)
        return neighbours(pid, kinds[0]) if self.processes and not _ends_all(kinds) else []

    def seen(self, pid: int, kinds: Sequence[Kind]) -> int:
        """How many the kernel shows beside the resident ``pid``; 0 where none are wanted."""
        if self.threads:
            return threads(pid) - 1
        return len(neighbours(pid, kinds[0])) if self.processes else 0


ALONE = Company()


def _ends_all(kinds: Sequence[Kind]) -> bool:
    """Whether a resident ends the others itself, as the first process of a pid namespace does.

    It may have no siblings (clone(2), CLONE_PARENT). In other namespaces they would outlive it, and
    so are children of its maker.
    """
    return any(kind.name == "pid" for kind in kinds)


def _wait_until(condition: Callable[[], bool]) -> None:
    wait_until(condition, "a resident has not its company", within=_PATIENCE, every=0.001)


def threads(pid: int) -> int:
    """How many threads a process has."""
    return len(list(Path("/proc", str(pid), "task").iterdir()))


def neighbours(pid: int, kind: Kind) -> list[int]:
    """The other processes in the namespace of ``kind`` that ``pid`` is in."""
    home = Path(f"/proc/{pid}/ns/{kind.name}").readlink()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "ns" / kind.name).readlink() == home and int(folder.name) != pid:
                found.append(int(folder.name))
    return found
