"""A run of a build, and when its blocks ended."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from speed.sides import WALL, Side

FIRST_BLOCK, ANOTHER_BLOCK = "until the first block", "each further block"

# Blocks are told as events; how those travel differs between builds, so their making is noted.
_NOTING = """
import os, sys, time
try:
    from cnbench.measuring.events import BlockEnded
except ImportError:
    from cnbench.measure.events import BlockEnded
from cnbench.cli.main import main
made, mine, notes = BlockEnded.__init__, os.getpid(), open(sys.argv.pop(1), "a")
def noted(event, *args, **kwargs):
    made(event, *args, **kwargs)
    if os.getpid() == mine:
        print(time.monotonic(), file=notes, flush=True)
BlockEnded.__init__ = noted
sys.argv[0] = "cnbench"
main()
"""


def run(side: Side, folder: Path, *argv: str) -> None:
    """Carry ``cnbench run`` with these arguments out, as a user does."""
    side.done([side.cnbench, "run", *argv, "-o", new_file(folder)], folder)


def new_file(folder: Path) -> Path:
    """Where a run can be written to: earlier builds replace no file, and have no ``--force``."""
    return Path(tempfile.mkdtemp(dir=folder)) / "run.json"


def used_by_run(argv: Sequence[str], side: Side, folder: Path) -> dict[str, float]:
    """What a run with these arguments used, to its end: ``Side.used_by``."""
    return side.used_by(side.cnbench, "run", *argv, "-o", new_file(folder))


def times_of(argv: Sequence[str], side: Side, folder: Path) -> dict[str, float]:
    """How long a run took, its first block and each further one; seconds by the wall clock.

    Raises:
        RuntimeError: it was no single group, whose blocks this process would be told.
    """
    out = new_file(folder)
    notes = out.with_name("notes")
    began = time.monotonic()
    side.done([side.python, "-c", _NOTING, notes, "run", *argv, "-o", out], folder)
    took = time.monotonic() - began
    ended = [float(line) for line in notes.read_text().split()]
    if not ended:
        raise RuntimeError(f"no block was told of {' '.join(argv)}")
    found = {WALL: took, FIRST_BLOCK: ended[0] - began}
    if len(ended) > 1:
        found[ANOTHER_BLOCK] = statistics.median(b - a for a, b in itertools.pairwise(ended))
    return found
