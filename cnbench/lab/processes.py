"""Processes that run beside a measurement, and end with it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from cnbench.core.errors import CommandError
from cnbench.lab import commands

# The kernel then kills the process when this one ends in any way (prctl PR_SET_PDEATHSIG); setpriv
# sets that and becomes the command, so the process id is the command's own.
DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")


@contextlib.contextmanager
def running(argv: Sequence[str], pass_fds: Sequence[int] = ()) -> Iterator[subprocess.Popen[str]]:
    """A process that is killed on leaving, and by the kernel if this process dies before that."""
    setpriv = commands.require(DIE_WITH_PARENT[0])
    process = subprocess.Popen(
        [setpriv, *DIE_WITH_PARENT[1:], commands.require(argv[0]), *argv[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=pass_fds,
        # A terminal sends Ctrl-C to the whole group; what is measured outlives it for its proof.
        process_group=0,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stderr:  # which check_alive may have read to its end and closed
            process.stderr.close()


def check_alive(argv: Sequence[str], process: subprocess.Popen[str]) -> None:
    """Raise CommandError with its stderr if ``process``, started as ``argv``, has ended."""
    if process.poll() is not None:
        raise CommandError(argv, process.returncode, process.communicate()[1])


def python_script(script: Path, *arguments: str) -> list[str]:
    """The command that runs ``script`` alone in this Python: no site packages, no environment."""
    return [sys.executable, "-I", "-S", str(script), *arguments]
