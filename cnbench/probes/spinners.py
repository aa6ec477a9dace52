"""Busy threads in a cgroup, and the stall that each of them saw."""

from __future__ import annotations

import contextlib
import functools
import mmap
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from cnbench.lab.cgroups.cpu import CpuGroup
from cnbench.lab.processes import check_alive, python_script, running
from cnbench.lab.waiting import wait_until
from cnbench.probes import spin

_PATIENCE = 30.0


class Spinners:
    """Busy threads that run until they are closed. Use ``open_spinners``."""

    def __init__(self, board: memoryview, processes: list[subprocess.Popen[str]]) -> None:
        self._board = board
        self._processes = processes

    @property
    def pids(self) -> list[int]:
        """The process of each thread."""
        return [process.pid for process in self._processes]

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Have the threads run inside this context alone: others are sampled between."""
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self._signal(signal.SIGSTOP)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes:
            process.send_signal(number)

    def watch(self) -> None:
        """Count gaps from now on."""
        now = time.perf_counter_ns()  # the clock that the threads read
        for slot in range(len(self._processes)):
            self._board[slot * spin.WORDS + spin.ASKED] = now

    def longest_gap(self) -> int:
        """The longest time (in clock ticks) that any thread was off the CPU since ``watch``.

        One that goes on counts up to now.
        """
        now = time.perf_counter_ns()
        return max(self._gap(slot * spin.WORDS, now) for slot in range(len(self._processes)))

    def _gap(self, slot: int, now: int) -> int:
        asked, answered, longest, last_look = self._board[slot : slot + spin.WORDS]
        # One that has not looked since is off the CPU all the time.
        return now - asked if answered != asked else max(longest, now - last_look)

    def wait_for_all(self) -> None:
        """Wait until every thread has run since ``watch``.

        Raises:
            CnbenchError: one has ended, or does not get the CPU.
        """
        for slot, process in enumerate(self._processes):
            wait_until(
                functools.partial(self._has_answered, slot),
                "a busy thread did not run",
                within=_PATIENCE,
                every=0.001,
                meanwhile=functools.partial(check_alive, ["spin.py"], process),
            )

    def _has_answered(self, slot: int) -> bool:
        first = slot * spin.WORDS
        return bool(self._board[first + spin.ASKED] == self._board[first + spin.ANSWERED])


@contextlib.contextmanager
def open_spinners(count: int, group: CpuGroup, load: str = "spin") -> Iterator[Spinners]:
    """``count`` threads inside ``group``, busy with ``load`` (see ``spin``), started and paused."""
    memory = os.memfd_create("cnbench-spin")
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, memory)
        os.ftruncate(memory, count * spin.WORDS * 8)
        board = memoryview(mmap.mmap(memory, 0)).cast("q")
        script = Path(spin.__file__)
        processes = []
        for slot in range(count):
            argv = python_script(script, str(memory), str(slot), str(os.getpid()), load)
            process = stack.enter_context(running(argv, pass_fds=[memory]))
            group.add(process.pid)
            processes.append(process)
        spinners = Spinners(board, processes)
        with spinners.running():
            spinners.watch()
            spinners.wait_for_all()
        yield spinners
