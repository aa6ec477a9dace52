"""The cache folder: everything in it is either whole or not there."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cnbench.core.errors import UnsupportedError

_CHUNK = 1 << 20
_STILL_WANTED_SECONDS = 3600


def folder() -> Path:
    """Where guest images, kernels, saved states and servers that were built are kept.

    ``$CNBENCH_CACHE``, or ``cnbench`` in the user's cache folder (XDG Base Directory
    Specification).

    Raises:
        UnsupportedError: another user could decide what is run from there.
    """
    chosen = os.environ.get("CNBENCH_CACHE")
    users = os.environ.get("XDG_CACHE_HOME")
    found = Path(users) / "cnbench" if users else Path.home() / ".cache" / "cnbench"
    if chosen:
        found = Path(chosen).absolute()
    problem = _why_not_to_be_trusted(found)
    if problem:
        raise UnsupportedError(
            f"nothing is taken from {found}: {problem}", "name another: CNBENCH_CACHE=FOLDER"
        )
    return found


def _why_not_to_be_trusted(found: Path) -> str:
    try:
        itself, behind = found.lstat(), found.stat()
    except OSError:
        return ""  # it will be made
    if itself.st_uid != os.geteuid() or behind.st_uid != os.geteuid():
        return "it belongs to another user"
    # Many users share a group of their own alone; root's files are for nobody else to write.
    others = stat.S_IWOTH | (stat.S_IWGRP if os.geteuid() == 0 else 0)
    return "others may write to it" if behind.st_mode & others else ""


@functools.cache
def require_digest(digest: str, *files: Path) -> None:
    """Refuse files that are not what ``digest`` says, once a process; for root alone.

    Raises:
        UnsupportedError: they have changed since they were built.
    """
    if os.geteuid() == 0 and digest_of(*files) != digest:
        raise UnsupportedError(
            f"{files[0]} has changed since it was built, so root does not boot it",
            "build it anew: cnbench guest build --rebuild",
        )


@contextlib.contextmanager
def publishing(target: Path) -> Iterator[Path]:
    """An empty folder to build in, which becomes ``target`` in one step on leaving.

    On an exception it is removed and ``target`` stays what it was. A build that was killed leaves
    its folder behind, which the next build of the same target removes: the lock it held is free.
    Two builds of one target take turns, so the second finds the first one's work.
    """
    with _our_turn(target), _replacing(target) as building:
        yield building


def ensure(target: Path, build: Callable[[Path], None]) -> None:
    """Have ``build`` fill an empty folder that becomes ``target``, unless that is there.

    Of two that ask for one target at once, the second waits and finds the first one's work.
    """
    if target.exists():
        return
    with _our_turn(target):
        if not target.exists():
            with _replacing(target) as building:
                build(building)


@contextlib.contextmanager
def _our_turn(target: Path) -> Iterator[None]:
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.parent / f".{target.name}.lock"):
        yield


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    prefix = f".{target.name}.building-"
    for abandoned in target.parent.glob(f"{prefix}*"):
        remove(abandoned)
    building = Path(tempfile.mkdtemp(dir=target.parent, prefix=prefix))
    building.chmod(0o755)
    try:
        yield building
        _flush(building)
        remove(target)
        building.rename(target)
    finally:
        remove(building)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path``; the kernel drops it when this process dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def digest_of(*files: Path) -> str:
    """The SHA-256 of the contents of ``files``, one after the other, in hexadecimal."""
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                total.update(chunk)
    return total.hexdigest()


def text_digest(*texts: str) -> str:
    """The SHA-256 of ``texts``, kept apart by zero bytes, in hexadecimal."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def forget_unused(folder: Path, kept: int) -> None:
    """Remove from ``folder`` all but the ``kept`` pieces that were used last.

    What was used within the last hour stays in any case: another process may be about to open it.
    `used` says that a piece is.
    """
    pieces = [path for path in folder.iterdir() if not path.name.startswith(".")]
    by_use = sorted((used, path) for path in pieces if (used := _last_used(path)) is not None)
    for last, path in by_use[: max(0, len(by_use) - kept)]:
        if time.time() - last > _STILL_WANTED_SECONDS:
            remove(path)


def _last_used(piece: Path) -> float | None:
    """When ``piece`` was used last, or None where another process has just forgotten it."""
    try:
        return piece.stat().st_mtime
    except FileNotFoundError:
        return None


def used(piece: Path) -> None:
    """Note that ``piece`` is used now."""
    os.utime(piece)


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it, also where a folder in it may not be written.

    Another process may be at it, too: what it has removed already is no error.
    """
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
        return
    for parent, _, _ in os.walk(path):
        with contextlib.suppress(FileNotFoundError):
            Path(parent).chmod(0o755)
    shutil.rmtree(path, onerror=_unless_gone)


def _unless_gone(_function: object, _path: object, raised: Any) -> None:
    if not issubclass(raised[0], FileNotFoundError):
        raise raised[1]


def _flush(path: Path) -> None:
    # A rename can reach the disk before the data does; a power cut must not leave an empty image.
    for file in path.iterdir():
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
