"""What time means in a lab."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

from cnbench.core.metric import ClockName
from cnbench.lab.idler import Idler, open_idler

T = TypeVar("T")

# Some grace periods of RCU, and the delay with which the kernel frees what it has batched.
_GRACE = 0.1
# The kernel's tick (CLOCK_MONOTONIC_COARSE of clock_getres(2)), and long enough after one for its
# interrupt to be over.
_COARSE = 6
_AFTER_TICK = 0.0003


@dataclass(frozen=True)
class Clock:
    """The clock that samples are taken with.

    On ``wall`` a tick is a nanosecond and the unit a second. On ``instructions`` the guest's
    virtual clock advances by one nanosecond an executed instruction (QEMU's ``-icount shift=0``),
    so a tick is an instruction, and so is the unit.

    That clock advances while nothing is executed, too: it skips to the next timer. What never
    sleeps may take the difference of two ``ticks``; for everything else there is ``timed``. Where
    a controller works in time (a quota, a burst), the difference is virtual time on purpose.

    Attributes:
        name: which of the two.
        idler: what ``timed`` runs beside an action so that its waiting can be left out; None where
            that counts. Use ``open_clock``.
    """

    name: ClockName
    idler: Idler | None = None

    @property
    def unit_ticks(self) -> float:
        """Ticks in one base unit of this clock."""
        return 1e9 if self.name == "wall" else 1.0

    def units(self, ticks: float) -> float:
        """Ticks as base units: seconds, or instructions."""
        return ticks / self.unit_ticks

    @staticmethod
    def ticks() -> int:
        """The clock's reading now; only differences mean anything."""
        return time.perf_counter_ns()

    @property
    def counts_waiting(self) -> bool:
        """Whether ``timed`` counts what an action waits."""
        return self.idler is None

    def settle(self, least: float = _GRACE) -> None:
        """Have the kernel do what it has put off (RCU, its workers): ``least`` seconds, to a tick.

        On ``instructions`` it would be counted with what comes next, so this goes before what is
        short, and behind what leaves such work behind, where that belongs to it. Waiting costs
        nothing there, and the next tick's interrupt, which counts too, is as far off as can be.
        On ``wall`` it is done by another processor or later, as it always is.
        """
        if self.name == "instructions":
            time.sleep(_until_after_a_tick(time.monotonic() + least) - time.monotonic())

    @contextlib.contextmanager
    def going_first(self) -> Iterator[None]:
        """Have this process, and what it makes, keep the processor until it sleeps (sched(7)).

        What is new or woken may take it otherwise, and would be counted with what is timed. On
        ``wall`` a batch process will do. On ``instructions`` it is a real-time one, since what the
        fair scheduler does at a switch depends on all that ran before.
        """
        counted = self.name == "instructions"
        policy, param = os.sched_getscheduler(0), os.sched_getparam(0)
        os.sched_setscheduler(
            0, os.SCHED_FIFO if counted else os.SCHED_BATCH, os.sched_param(int(counted))
        )
        try:
            yield
        finally:
            os.sched_setscheduler(0, policy, param)

    def undisturbed(self) -> AbstractContextManager[None]:
        """Around samples: nothing runs beside them but what ``timed`` has run, and leaves out."""
        return self.idler.running(False) if self.idler else contextlib.nullcontext()

    def timed(self, action: Callable[[], T]) -> tuple[int, T]:
        """The ticks that ``action`` takes, and what it returns.

        On ``wall`` its waiting counts, as a user waits too. On ``instructions`` it does not: these
        are all that the processor executed meanwhile, for children and in the kernel as well.
        """
        returned: list[T] = []

        def read() -> int:
            began = self.ticks()
            answer = action()
            took = self.ticks() - began
            returned.append(answer)
            return took

        return self.less_waiting(read), returned[0]

    def less_waiting(self, timed: Callable[[], int]) -> int:
        """The ticks that ``timed`` has read itself, as ``timed()`` counts them.

        It is for what Python's own instructions are too many for (lab/system_calls.py).
        """
        if self.idler is None:
            return timed()
        with self.idler.running():
            idled = self.idler.ran()
            took = timed()
            return took - (self.idler.ran() - idled)


def _until_after_a_tick(earliest: float) -> float:
    """The first moment from ``earliest`` on at which a tick is just over, by time.monotonic()."""
    tick = time.clock_getres(_COARSE)
    return math.ceil((earliest - _AFTER_TICK) / tick) * tick + _AFTER_TICK


@contextlib.contextmanager
def open_clock(name: ClockName) -> Iterator[Clock]:
    """The clock called ``name``; ``instructions`` inside a guest that counts them."""
    if name == "wall":
        yield Clock(name)
        return
    with open_idler() as idler:
        yield Clock(name, idler)
