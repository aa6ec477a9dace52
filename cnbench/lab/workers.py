"""Copies of this process that do a part of its work, each on a processor of its own.

Forked, not started anew: what was imported, and what was checked of a guest's files, is there. A
worker ends without running what its parent has put off until its own end, and dies with it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import Any

from cnbench.core import stopping
from cnbench.core.errors import CnbenchError
from cnbench.lab import libc

# What a worker takes down when it is asked to stop are processes that it kills, and files.
_SECONDS_TO_STOP = 30

Work = Callable[[Callable[[Any], None]], None]


class Killed(CnbenchError):  # noqa: N818  it is what happened to the worker
    """A worker came to its end before its work had."""


class Worker:
    """A copy of this process at work; use ``worker``.

    Attributes:
        processor: the number of the one that it runs on, and all that it starts.
    """

    def __init__(self, process: ForkProcess, told: Connection, processor: int) -> None:
        self.processor = processor
        self._process = process
        self._told = told

    def fileno(self) -> int:
        """What becomes readable when the worker has told something, or has ended."""
        return self._told.fileno()

    def receive(self) -> Any:
        """The next thing that its work tells; None once the work is done.

        Raises:
            Exception: what its work ended with.
            Killed: somebody ended it.
        """
        try:
            kind, what = self._told.recv()
        except (EOFError, OSError):
            self._process.join(_SECONDS_TO_STOP)
            how = f"exit code {self._process.exitcode}"
            raise Killed(f"the process that looked after it has ended: {how}") from None
        if kind == "ended with":
            raise what
        return what


@contextlib.contextmanager
def worker(work: Work, processor: int) -> Iterator[Worker]:
    """A copy of this process that does ``work`` on ``processor``, and is stopped on leaving.

    ``work`` is handed the function by which it tells anything (that can be pickled) but None.
    """
    context = multiprocessing.get_context("fork")
    told, tell = context.Pipe(duplex=False)
    process = context.Process(target=_become, args=(work, tell, os.getpid(), processor))
    with told:
        # Until it listens itself, a worker would take a signal for its parent's.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, stopping.SIGNALS)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            tell.close()
        try:
            yield Worker(process, told, processor)
        finally:
            process.terminate()
            process.join(_SECONDS_TO_STOP)
            process.kill()
            process.join()


def first_to_tell(workers: Sequence[Worker]) -> list[Worker]:
    """Those of ``workers`` that have told something, or have ended; waits for the first."""
    ready = connection.wait([running.fileno() for running in workers])
    return [running for running in workers if running.fileno() in ready]


def _become(work: Work, told: Connection, parent: int, processor: int) -> None:
    """Do ``work`` in this forked child; does not return."""
    status = 1
    try:
        libc.die_with_parent(signal.SIGKILL)
        if os.getppid() != parent:
            return
        # A terminal's Ctrl-C is for the parent, which stops its workers when it has heard of it.
        os.setpgid(0, 0)
        os.sched_setaffinity(0, {processor})
        with stopping.listening():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, stopping.SIGNALS)
            _tell_all(work, told)
        status = 0
    except (KeyboardInterrupt, BrokenPipeError):
        pass  # it was stopped, or nobody listens any more
    finally:
        # Not by returning: at its end Python flushes streams that a thread may have held locked.
        os._exit(status)


def _tell_all(work: Work, told: Connection) -> None:
    try:
        work(lambda what: told.send(("told", what)))
    except Exception as error:
        if not isinstance(error, CnbenchError):
            error.add_note(traceback.format_exc())
        told.send(("ended with", error))
    else:
        told.send(("told", None))
