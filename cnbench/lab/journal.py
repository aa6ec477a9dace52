"""The journal: what a run is about to make, written down before it is made.

One file a run, one JSON object a line: ``{"made": ...}`` before a resource is made,
``{"gone": ...}`` after it was removed. The file is locked for as long as its run lives, and the
kernel drops the lock at any death of it, so a journal that can be locked belongs to a dead run.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.lab.resources import Resource, remove


def default_folder() -> Path:
    """Where this user's journals live: a folder that is emptied at boot, as the resources are."""
    if os.geteuid() == 0:
        return Path("/run/cnbench")
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return (
        Path(runtime, "cnbench")
        if runtime
        else Path(tempfile.gettempdir(), f"cnbench.{os.getuid()}")
    )


class Journal:
    """The journal of a run that is alive. Use ``open_journal``."""

    def __init__(self, run: str, file: IO[str]) -> None:
        self.run = run
        self._file = file

    @contextlib.contextmanager
    def owning(self, resource: Resource) -> Iterator[Resource]:
        """Write ``resource`` down; the caller makes it inside, and it is removed on leaving."""
        self._append("made", resource)
        try:
            yield resource
        finally:
            remove(resource)
            self._append("gone", resource)

    def _append(self, event: str, resource: Resource) -> None:
        try:
            self._file.write(json.dumps({event: asdict(resource)}) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise CnbenchError(
                f"the journal {self._file.name} cannot be written: {error.strerror}",
                "nothing is made without it; free some space for it",
            ) from error


@contextlib.contextmanager
def open_journal(run: str, folder: Path | None = None) -> Iterator[Journal]:
    """A journal for the run called ``run``, deleted on leaving once everything in it is gone."""
    folder = folder or default_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_a_strangers(folder)
        file, path = _create_locked(folder / f"{run}.jsonl")
    except OSError as error:
        raise UnsupportedError(
            f"the journal cannot be written in {folder}: {error.strerror}",
            "nothing is made without it; free the folder for this user",
        ) from error
    with file:
        yield Journal(run, file)
        # Not in a finally: a resource that could not be removed stays written down for gc.
        path.unlink()


def _refuse_a_strangers(folder: Path) -> None:
    """Who can write a journal decides what is removed; in /tmp that could be anyone."""
    if folder.stat().st_uid != os.geteuid():
        raise OSError(errno.EPERM, "it belongs to another user", str(folder))


def _create_locked(path: Path) -> tuple[IO[str], Path]:
    while True:
        file = path.open("a", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX)
        # Between open and flock, a gc may have locked and deleted the still empty file.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file, path
        file.close()


@contextlib.contextmanager
def _locked_if_dead(path: Path) -> Iterator[IO[str] | None]:
    with path.open("r", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


def _left_behind(file: IO[str]) -> list[Resource]:
    """What was made and is not gone, last made first."""
    left: list[Resource] = []
    for line in file:
        if not line.endswith("\n"):
            break  # killed while writing it, so before making it
        ((event, fields),) = dict(json.loads(line)).items()
        resource = Resource(str(fields["kind"]), str(fields["what"]))
        if event == "made":
            left.append(resource)
        elif resource in left:
            left.remove(resource)
    return left[::-1]


def collect(
    folder: Path | None = None, *, dry_run: bool = False
) -> tuple[list[Resource], list[str]]:
    """Remove what dead runs left behind.

    Returns:
        The resources removed (or, in a dry run, found), and a sentence for each that could not be;
        the journal of a run with such a one is kept for the next attempt.
    """
    removed: list[Resource] = []
    problems: list[str] = []
    folder = folder or default_folder()
    if not folder.is_dir():
        return removed, problems
    try:
        _refuse_a_strangers(folder)
    except OSError as error:
        return removed, [f"the journals in {folder} are left alone: {error.strerror}"]
    for path in sorted(folder.glob("*.jsonl")):
        with contextlib.suppress(FileNotFoundError), _locked_if_dead(path) as file:
            if file is None:
                continue
            try:
                left = _left_behind(file)
            except (ValueError, TypeError, KeyError):
                problems.append(f"the journal {path} is damaged; look at it, then delete it")
                continue
            if dry_run:
                removed += left
                continue
            failures = _remove_all(left, removed)
            problems += failures
            if not failures:
                path.unlink()
    return removed, problems


def _remove_all(left: list[Resource], removed: list[Resource]) -> list[str]:
    failures = []
    for resource in left:
        try:
            remove(resource)
            removed.append(resource)
        except CnbenchError as error:
            failures.append(str(error))
    return failures
