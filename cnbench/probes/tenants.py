"""Processes in cgroups that do what they are told."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.conversation import Conversation
from cnbench.lab.processes import python_script, running
from cnbench.probes import tenant


class Tenant:
    """A process that is in a cgroup, or in none of ours. Use ``open_tenant``."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self._conversation = Conversation(connection, "the process in the group")

    def start(self, task: str, *arguments: object) -> None:
        """Have it begin ``task``, one of ``tenant.TASKS``."""
        self._conversation.ask(task, *arguments)

    def finish(self) -> Any:
        """What the task that was started returns.

        Raises:
            CnbenchError: the kernel refuses it, or the process was killed.
        """
        return self._conversation.answer("in the group, ")

    def do(self, task: str, *arguments: object) -> Any:
        """Start ``task`` and finish it; errors as ``finish``."""
        self.start(task, *arguments)
        return self.finish()

    def cpu_time(self) -> float:
        """CPU time that it has used so far, in seconds by the kernel's account, once it sleeps."""
        folder = Path("/proc", str(self.pid))
        # Of what runs, the account lacks the time since the last tick.
        while "(sleeping)" not in (folder / "status").read_text():
            time.sleep(0.0001)
        return int((folder / "schedstat").read_text().split()[0]) / 1e9

    def close(self) -> None:
        """Forget what it might still say."""
        self._conversation.close()


@contextlib.contextmanager
def open_tenant(*groups: Cgroup, pass_fds: Sequence[int] = ()) -> Iterator[Tenant]:
    """A process in each of ``groups``, which are of different hierarchies, killed on leaving."""
    ours, theirs = socket.socketpair()
    argv = python_script(Path(tenant.__file__), str(theirs.fileno()), str(os.getpid()))
    with ours, theirs, running(argv, pass_fds=[theirs.fileno(), *pass_fds]) as process:
        theirs.close()  # so that its end is seen here
        with contextlib.closing(Tenant(process.pid, ours)) as opened:
            opened.do("populate", 1)
            for group in groups:
                group.add(process.pid)
            yield opened
