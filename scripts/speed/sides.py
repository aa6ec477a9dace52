"""The two builds, and what a process of one of them uses."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPU_TIME, MEMORY, WALL = "CPU time", "peak memory", "time"

# How much is shown of what a command was, and said.
_SHOWN = 500

# A process has the peak of the one that it is forked from until it is another program, so a small
# one starts what is measured. In the build's folder: an interpreter told a program imports from the
# folder that it is started in.
_LAUNCHER = """
import resource, subprocess, sys, time
began = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
took = time.monotonic() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, took)
sys.exit(done.returncode)
"""


@dataclass(frozen=True)
class Side:
    """A build.

    Attributes:
        name: its commit.
        python: its interpreter, which imports its cnbench.
        earlier: whether it is the one that is held against.
    """

    name: str
    python: Path
    earlier: bool

    @property
    def cnbench(self) -> str:
        """Its command."""
        return str(self.python.with_name("cnbench"))

    def used_by(self, *argv: object) -> dict[str, float]:
        """Run a command to its end: its CPU time, its peak memory in bytes, and how long it took.

        Times are in seconds, and of the whole tree of processes that it waited for.

        Raises:
            RuntimeError: it failed.
        """
        launched = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *argv]
        seconds, kibibytes, took = map(float, self.done(launched, self.python.parent).split())
        return {CPU_TIME: seconds, MEMORY: kibibytes * 1024, WALL: took}

    def told_by(self, program: str, *argv: object) -> list[float]:
        """The numbers that a Python program prints when this build runs it.

        Raises:
            RuntimeError: it failed.
        """
        said = self.done([self.python, "-c", program, *argv], self.python.parent)
        return [float(word) for word in said.split()]

    def done(self, argv: Sequence[object], folder: Path) -> str:
        """Run a command to its end in a folder; what it printed.

        Raises:
            RuntimeError: it failed; with the end of what it said.
        """
        words = [str(word) for word in argv]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip()[-_SHOWN:]
            raise RuntimeError(f"{' '.join(words)[-_SHOWN:]} ended with {done.returncode}: {said}")
        return done.stdout


def here() -> Side:
    """This build."""
    return Side(_commit(ROOT) or "this build", Path(sys.executable), earlier=False)


def built(before: str, folder: Path) -> Side:
    """The build of a commit, made below ``folder``; or the one in a folder that has one."""
    if (python := Path(before, ".venv/bin/python").absolute()).exists():
        return Side(_commit(Path(before)) or Path(before).name, python, earlier=True)
    source = folder / "before"
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", before], capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(source, filter="data")
    subprocess.run([sys.executable, "-m", "venv", source / ".venv"], check=True)
    python = source / ".venv/bin/python"
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "-e", str(source)], check=True)
    return Side(before, python, earlier=True)


def _commit(folder: Path) -> str:
    argv = ["git", "-C", str(folder), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout.strip()
