"""Baselines: runs that have been given a name, to compare later ones with.

A baseline is a copy of the run's file, so that it stays when the folder of runs is tidied up, and
can be carried from one machine of a CI system to the next.
"""

from __future__ import annotations

import re
from pathlib import Path

from cnbench.core.errors import UsageError
from cnbench.store import run_file, whole_file
from cnbench.store.runs import SUFFIX, all_baselines, baseline_called, baselines_folder, find_run

# What a branch, a tag or a release is called; a slash would be a folder, and a dot first hides.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TAKEN = re.compile(r"latest|.*\.jsonl?")


def save(name: str, run: str) -> tuple[Path, Path]:
    """Give the run that ``run`` names the name of a baseline; an earlier one of it is replaced.

    Returns:
        The run's file, and the baseline's.

    Raises:
        UsageError: there is no such run, it cannot be read, or the name will not do.
    """
    if not _NAME.fullmatch(name) or _TAKEN.fullmatch(name):
        raise UsageError(
            f"'{name}' cannot be a baseline's name",
            "take letters, digits, dots, hyphens, underscores; not `latest`, nor a file's name",
        )
    source = find_run(run)
    run_file.read(source)
    place = baselines_folder() / f"{name}{SUFFIX}"
    whole_file.write(place, source.read_bytes(), "the baseline")
    return source, place


def remove(name: str) -> Path:
    """Remove a baseline, and nothing else; gives where it was.

    Raises:
        UsageError: there is none of that name.
    """
    place = baseline_called(name)
    if place is None:
        known = ", ".join(path.stem for path in all_baselines()) or "there are none"
        raise UsageError(f"there is no baseline '{name}'", f"choose from: {known}")
    place.unlink()
    return place
