"""The process that is busy when no other is, on the instruction clock."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

from . import IDLER


def start_idler() -> int:
    """A process, stopped, that runs when no other would (see lab/idler.py, which takes it over)."""
    idler = os.fork()
    if idler == 0:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        os.kill(os.getpid(), signal.SIGSTOP)
        while True:
            pass
    os.waitpid(idler, os.WUNTRACED)
    return idler


@contextlib.contextmanager
def never_idle() -> Iterator[None]:
    """Have something to execute inside, whoever waits for what.

    Where the guest waits for a disk its clock would skip from timer to timer, for minutes until the
    host has read it, and so past the time at which the kernel seeds its random numbers anew.
    """
    if IDLER not in os.environ:
        yield
        return
    os.kill(int(os.environ[IDLER]), signal.SIGCONT)
    try:
        yield
    finally:
        os.kill(int(os.environ[IDLER]), signal.SIGSTOP)
