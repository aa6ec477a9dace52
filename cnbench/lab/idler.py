"""Idle time on the instruction clock, spent by a process whose time is known exactly.

While nothing runs, a guest on that clock skips from timer to timer, and how many timers pass while
it waits for its host is up to the host. Each interrupt executes instructions, so it does not do to
take off the idle time that the kernel counts: 160 reads of a disk, 64 KiB each, then took 3 to 40
million instructions. With a process that is busy meanwhile nothing is skipped, and less that
process's own time the same reads were within 2 % of each other.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from cnbench.lab import idle
from cnbench.lab.guest.agent import IDLER
from cnbench.lab.processes import check_alive, python_script, running


class Idler:
    """A process that runs when no other does, or is paused. Use ``open_idler``."""

    def __init__(self, pid: int, runs: bool = False) -> None:
        self.pid = pid
        self._runs = runs
        clock = ctypes.c_int()
        error = ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock))
        if error:
            raise OSError(error, os.strerror(error))
        self._clock = clock.value

    def ran(self) -> int:
        """Nanoseconds that it has run, which the kernel counts from switch to switch."""
        return time.clock_gettime_ns(self._clock)

    @contextlib.contextmanager
    def running(self, runs: bool = True) -> Iterator[None]:
        """Have it run inside this context, or not, and afterwards as before."""
        before = self._runs
        self._let(runs)
        try:
            yield
        finally:
            self._let(before)

    def _let(self, runs: bool) -> None:
        if runs != self._runs:
            os.kill(self.pid, signal.SIGCONT if runs else signal.SIGSTOP)
            self._runs = runs


@contextlib.contextmanager
def open_idler() -> Iterator[Idler]:
    """An idler, for a machine with one processor: a guest's own, which runs, or a new one, paused.

    Raises:
        CommandError: it did not start.
    """
    if IDLER in os.environ:
        yield Idler(int(os.environ[IDLER]), runs=True)
        return
    argv = python_script(Path(idle.__file__), str(os.getpid()))
    with running(argv) as process:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        check_alive(argv, process)
        yield Idler(process.pid)
