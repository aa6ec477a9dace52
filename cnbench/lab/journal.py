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
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.core.ownership import why_not_ours, why_not_ours_by
from cnbench.lab.resources import SHARED, Resource, is_nothing, remove, temporary_folder

# A run of days writes some kilobytes; a file of this size is none of ours.
_MOST_BYTES = 16 << 20


def default_folder() -> Path:
    """Where this user's journals live: a folder that is emptied at boot, as the resources are."""
    if os.geteuid() == 0:
        return Path("/run/cnbench")
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime, "cnbench") if runtime else temporary_folder() / f"cnbench.{os.getuid()}"


class Journal:
    """The journal of a run that is alive. Use ``open_journal``."""

    def __init__(self, run: str, path: Path, descriptor: int) -> None:
        self.run = run
        self.path = path
        self._descriptor = descriptor
        self._not_gone: list[Resource] = []

    @property
    def is_settled(self) -> bool:
        """Whether everything that was made is gone."""
        return not self._not_gone

    @contextlib.contextmanager
    def owning(self, resource: Resource) -> Iterator[Resource]:
        """Write ``resource`` down; the caller makes it inside, and it is removed on leaving."""
        try:
            self._note("made", resource)
            yield resource
        finally:
            remove(resource)
            self._note("gone", resource)

    @contextlib.contextmanager
    def sharing(
        self, resource: Resource, is_there: Callable[[], bool], make: Callable[[], None]
    ) -> Iterator[None]:
        """Have ``resource`` be there inside: made if need be, and removed by the last run to leave.

        One that is there and in nobody's journal is not ours, and stays.
        """
        folder = self.path.parent
        with _turn(folder):
            ours = not is_there() or _is_used_by_others(resource, folder, self.path)
            if ours:
                self._note("made", resource)
                if not is_there():
                    make()
        try:
            yield
        finally:
            if ours:
                with _turn(folder):
                    if not _is_used_by_others(resource, folder, self.path):
                        remove(resource)
                    self._note("gone", resource)

    def _note(self, event: str, resource: Resource) -> None:
        if event == "made":
            self._not_gone.append(resource)
        try:
            self._append(json.dumps({event: asdict(resource)}) + "\n")
        except OSError as error:
            # What is gone may be written down as if it were there: removing accepts that.
            if event == "made":
                self._not_gone.remove(resource)
                raise CnbenchError(
                    f"the journal {self.path} cannot be written: {error.strerror}",
                    "nothing is made without it; free some space for it",
                ) from error
        if event == "gone" and resource in self._not_gone:
            self._not_gone.remove(resource)

    def _append(self, line: str) -> None:
        before = os.fstat(self._descriptor).st_size
        text = line.encode()
        try:
            if os.write(self._descriptor, text) != len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._descriptor)
        except OSError:
            # Half a line would be taken for the begin of the next one.
            os.ftruncate(self._descriptor, before)
            raise


@contextlib.contextmanager
def open_journal(run: str, folder: Path | None = None) -> Iterator[Journal]:
    """A journal for the run called ``run``, deleted on leaving once everything in it is gone."""
    folder = folder or default_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_a_strangers(folder)
        path = folder / f"{run}.jsonl"
        descriptor = _create_locked(path)
    except OSError as error:
        raise UnsupportedError(
            f"the journal cannot be written in {folder}: {error.strerror}",
            "nothing is made without it; free the folder for this user",
        ) from error
    journal = Journal(run, path, descriptor)
    try:
        yield journal
    finally:
        # What could not be removed stays written down for gc.
        if journal.is_settled:
            path.unlink()
        os.close(descriptor)


def _refuse_a_strangers(folder: Path) -> None:
    """Who can write a journal decides what is removed; in /tmp that could be anyone."""
    problem = why_not_ours(folder, folder=True)
    if problem:
        raise OSError(errno.EPERM, problem, str(folder))


def _create_locked(path: Path) -> int:
    while True:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Between open and flock, a gc may have locked and deleted the still empty file.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        os.close(descriptor)


@contextlib.contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Keep other runs from making or removing what is shared."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_used_by_others(resource: Resource, folder: Path, own: Path) -> bool:
    """Whether another run, alive or not collected yet, has written ``resource`` down."""
    if resource.kind not in SHARED:
        return False
    for path in folder.glob("*.jsonl"):
        if path != own:
            with contextlib.suppress(OSError, ValueError):
                if resource in _left_behind(_text_of(path)):
                    return True
    return False


def _text_of(path: Path) -> str:
    """What is in a journal.

    Raises:
        OSError: it is not there, or not a file of this user's.
        ValueError: it is not text, or longer than any journal.
    """
    with _opened(path) as descriptor:
        found = b""
        while more := os.read(descriptor, _MOST_BYTES):
            found += more
            if len(found) > _MOST_BYTES:
                raise ValueError("it is too long")
    return found.decode()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A journal, to be read: opening a pipe would wait for somebody to write into it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        problem = why_not_ours_by(os.fstat(descriptor), folder=False)
        if problem:
            raise OSError(errno.EPERM, problem, str(path))
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _locked_if_dead(path: Path) -> Iterator[bool]:
    with _opened(path) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _left_behind(text: str) -> list[Resource]:
    """What was made and is not gone, last made first.

    Raises:
        ValueError: the text is no journal's.
    """
    left: list[Resource] = []
    for line in text.splitlines(keepends=True):
        if not line.endswith("\n"):
            break  # killed while writing it, so before making it
        event, resource = _entry(line)
        if event == "made":
            left.append(resource)
        elif resource in left:
            left.remove(resource)
    return [remaining for remaining in reversed(left) if not is_nothing(remaining)]


def _entry(line: str) -> tuple[str, Resource]:
    try:
        ((event, fields),) = dict(json.loads(line)).items()
        return str(event), Resource(str(fields["kind"]), str(fields["what"]))
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError("a line of it is none that a run writes") from error


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
        try:
            problems += _collect_one(path, removed, dry_run)
        except FileNotFoundError:
            continue  # another gc was faster
        except OSError as error:
            problems.append(f"the journal {path} is left alone: {error.strerror}; look at it")
        except ValueError:
            problems.append(f"the journal {path} is damaged; look at it, then delete it")
    return removed, problems


def _collect_one(path: Path, removed: list[Resource], dry_run: bool) -> list[str]:
    """Remove what the run of the journal ``path`` left, if it is dead; gives what could not be."""
    with _locked_if_dead(path) as dead:
        if not dead:
            return []
        left = _left_behind(_text_of(path))
        if dry_run:
            removed += left
            return []
        failures = _remove_all(left, path, removed)
        if not failures:
            path.unlink()
        return failures


def _remove_all(left: list[Resource], path: Path, removed: list[Resource]) -> list[str]:
    failures = []
    # What still runs would keep the rest in use.
    for resource in sorted(left, key=lambda resource: resource.kind != "processes"):
        try:
            with _turn(path.parent):
                if not _is_used_by_others(resource, path.parent, path):
                    remove(resource, found=True)
                    removed.append(resource)
        except CnbenchError as error:
            failures.append(str(error))
    return failures
