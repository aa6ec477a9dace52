"""What a user's ``-o`` may name, looked at before anything is measured or drawn."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from cnbench.core.errors import UsageError
from cnbench.store import whole_file

# Of a file, for seeing what it is: run files and reports say so at their begin.
_FIRST_BYTES = 1 << 16


def check(path: Path, what: str, is_ours: Callable[[bytes], bool], *, force: bool) -> None:
    """Refuse to replace a file at ``path`` that ``is_ours``, told its first bytes, does not know.

    An empty file may be replaced by anything, and with ``force`` any regular file. A pipe or a
    terminal is written into, so nothing is looked at.

    Raises:
        UsageError: it is another's file, a folder, or cannot be read.
    """
    try:
        place = whole_file.followed(path)
        if whole_file.is_stream(place) or force or not place.exists():
            return
        with place.open("rb") as file:
            begin = file.read(_FIRST_BYTES)
    except OSError as error:
        raise UsageError(
            f"the {what} {path} could not be written: {error.strerror}", "write elsewhere: -o FILE"
        ) from error
    if begin and not is_ours(begin):
        raise UsageError(
            f"{path} is there and is no {what} of cnbench, so it is left alone",
            "write elsewhere, or replace it: --force",
        )


def is_written_once(path: Path) -> bool:
    """Whether ``path`` takes what it is given one after the other, as a pipe does."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode)
