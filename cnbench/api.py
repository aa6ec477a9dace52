"""cnbench in Python: the same questions as on the command line, answered as objects."""

from __future__ import annotations

from pathlib import Path

from cnbench.analysis.comparison import Compared, compare_runs
from cnbench.core.run import Run
from cnbench.store import run_file
from cnbench.store.runs import find_run


def compare(
    a: Run | str | Path, b: Run | str | Path, *, margin: float | None = None, force: bool = False
) -> list[Compared]:
    """What changed from run A to run B, one `Compared` a case and metric.

    Args:
        a: a run, or how one is named on the command line: a file, an id, ``latest``, ``latest~1``.
        b: likewise.
        margin: the smallest effect that matters, as a share of 1; None for its clock's own.
        force: compare different environments all the same.

    Raises:
        NotComparableError: the environments differ in something that could explain any effect.
        UsageError: a run cannot be found or read, or the two have no case in common.
    """
    return compare_runs(_run(a), _run(b), margin=margin, force=force)


def _run(named: Run | str | Path) -> Run:
    return named if isinstance(named, Run) else run_file.read(find_run(str(named)))
