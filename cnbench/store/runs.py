"""The folder of run files, and how a person names one.

A file, a baseline, an id, ``latest`` or ``latest~1``.
"""

from __future__ import annotations

import itertools
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cnbench.core.errors import UsageError
from cnbench.core.units import format_count

if TYPE_CHECKING:
    from cnbench.core.run import Run

# Of each environment two dozen would do; a folder of years is not read for them.
MOST_EARLIER = 50
# What run files are called, and what they were called up to schema 2.
SUFFIX = ".jsonl"
SUFFIXES = (SUFFIX, ".json")
_LATEST = re.compile(r"latest(?:~(\d+))?")


def results_folder() -> Path:
    """Where run files are: ``$CNBENCH_RESULTS``, or ``results/runs`` below the current folder."""
    return Path(os.environ.get("CNBENCH_RESULTS") or "results/runs")


def baselines_folder() -> Path:
    """Where runs are that have been given a name: beside the folder of run files."""
    return results_folder().parent / "baselines"


def baseline_called(name: str) -> Path | None:
    """The run file of the baseline of that name, or None."""
    place = baselines_folder() / f"{name}{SUFFIX}"
    return place if "/" not in name and place.is_file() else None


def all_baselines() -> list[Path]:
    """The run files of all baselines, each called as its baseline is, in the order of the names."""
    return sorted(baselines_folder().glob(f"[!.]*{SUFFIX}"))


def place_of(run: Run) -> Path:
    """Where ``run`` is written unless its user names another place."""
    return results_folder() / f"{run.id}{SUFFIX}"


def all_runs(folder: Path | None = None) -> list[Path]:
    """The run files of ``folder``, oldest first: their names begin with the time they began."""
    folder = folder or results_folder()
    # A pipe of such a name would be waited for.
    named = (path for path in folder.glob("[!.]*.json*") if path.suffix in SUFFIXES)
    return sorted(path for path in named if path.is_file())


def some_runs(folder: Path | None = None) -> list[Path]:
    """As ``all_runs``, and one at least.

    Raises:
        UsageError: there is none; the remedy says how to get one.
    """
    runs = all_runs(folder)
    if not runs:
        raise UsageError(
            f"there are no runs in {folder or results_folder()}", "measure something: cnbench run"
        )
    return runs


def begun_before(run: Run, folder: Path | None = None) -> list[Run]:
    """The last ``MOST_EARLIER`` runs of ``folder`` begun before ``run``, oldest first.

    What cannot be read is left out: it was not asked for.
    """
    found = (earlier for _, earlier in readable(reversed(all_runs(folder))))
    with warnings.catch_warnings(action="ignore"):
        before = (earlier for earlier in found if earlier.started < run.started)
        return list(itertools.islice(before, MOST_EARLIER))[::-1]


def find_run(name: str, folder: Path | None = None) -> Path:
    """The run file that ``name`` names.

    Raises:
        UsageError: there is none, or more than one id begins so; the remedy says what to do.
    """
    path = Path(name)
    if path.suffix in SUFFIXES or path.is_file():
        return path
    if baseline := baseline_called(name):
        return baseline
    runs = some_runs(folder)
    if latest := _LATEST.fullmatch(name):
        return _from_latest(runs, int(latest[1] or 0), name)
    matching = [run for run in runs if run.stem.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise UsageError(
            f"'{name}' begins the names of {len(matching)} runs",
            "write more of it: " + ", ".join(run.stem for run in matching[:3]),
        )
    raise UsageError(f"there is no run '{name}'", f"the latest is {runs[-1].stem}")


def readable(files: Iterable[Path]) -> Iterator[tuple[Path, Run]]:
    """The runs in ``files``; a file that is none is passed over with a warning."""
    # Imported here: `cnbench gc` asks for the folder and reads no run.
    from cnbench.store import run_file

    for file in files:
        try:
            yield file, run_file.read(file)
        except UsageError as error:
            warnings.warn(f"passed over: {error}", UserWarning, stacklevel=3)


def _from_latest(files: Sequence[Path], back: int, name: str) -> Path:
    newest_first = [path for path, _ in itertools.islice(readable(reversed(files)), back + 1)]
    if len(newest_first) > back:
        return newest_first[back]
    runs = format_count(len(newest_first), "run")
    raise UsageError(f"there is no {name}: of {len(files)} files {runs} could be read")
