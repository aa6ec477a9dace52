"""Processes that run beside a measurement, and end with it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from cnbench.core.errors import CommandError
from cnbench.lab import commands, libc

# For a tool of which nothing else is asked: the kernel then kills it when this process ends.
DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")
# In the environment of all that a run starts: the run's name, for `cnbench gc` to know them by.
RUN_VARIABLE = "CNBENCH_RUN"


@contextlib.contextmanager
def running(
    argv: Sequence[str], pass_fds: Sequence[int] = (), errors: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process that is killed on leaving, and by the kernel if this process dies before that.

    Its stderr is a pipe, for few words, unless a file for ``errors`` is given.

    Raises:
        UnsupportedError: there is no such program, or it is none.
    """
    program = commands.require(argv[0])
    with commands.explaining(program):
        process = subprocess.Popen(
            [program, *argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors or subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            pass_fds=pass_fds,
            # A terminal sends Ctrl-C to the whole group; its proof needs what is measured alive.
            process_group=0,
            # Two system calls that take no lock which another thread could hold.
            preexec_fn=_dying_with(os.getpid()),  # noqa: PLW1509
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stderr:  # which check_alive may have read to its end and closed
            process.stderr.close()


def _dying_with(parent: int) -> Callable[[], None]:
    """What a new process does first: be killed when ``parent`` ends, however soon that is.

    A parent that ended before the kernel was asked sends no signal any more, but is no parent any
    more either. (`setpriv --pdeathsig` does not look, and its processes outlived a kill that fell
    between fork and prctl.)
    """

    def prepare() -> None:
        libc.die_with_parent(signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare


def of_run(run: str) -> Iterator[int]:
    """Descriptors (pidfd) of the processes that the run called ``run`` has started.

    Found by their environment, this process excepted. Each descriptor is closed when the next is
    asked for; a process that ends meanwhile takes its number along, never the descriptor.
    """
    mark = f"{RUN_VARIABLE}={run}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(int(folder.name))
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    yield descriptor
            finally:
                os.close(descriptor)


def check_alive(argv: Sequence[str], process: subprocess.Popen[str]) -> None:
    """Raise CommandError with its stderr if ``process``, started as ``argv``, has ended."""
    if process.poll() is not None:
        raise CommandError(argv, process.returncode, process.communicate()[1])


def python_script(script: Path, *arguments: str) -> list[str]:
    """The command that runs ``script`` alone in this Python: no site packages, no environment."""
    return [sys.executable, "-I", "-S", str(script), *arguments]
