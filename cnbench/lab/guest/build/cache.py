"""The cache folder: everything in it is either whole or not there."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_CHUNK = 1 << 20
_STILL_WANTED_SECONDS = 3600


def folder() -> Path:
    """Where guest images, kernels and saved states are kept.

    ``$CNBENCH_CACHE``, or ``cnbench`` in the user's cache folder (XDG Base Directory
    Specification).
    """
    chosen = os.environ.get("CNBENCH_CACHE")
    if chosen:
        return Path(chosen).absolute()
    users = os.environ.get("XDG_CACHE_HOME")
    return Path(users) / "cnbench" if users else Path.home() / ".cache" / "cnbench"


@contextlib.contextmanager
def publishing(target: Path) -> Iterator[Path]:
    """An empty folder to build in, which becomes ``target`` in one step on leaving.

    On an exception it is removed and ``target`` stays what it was. A build that was killed leaves
    its folder behind, which the next build of the same target removes: the lock it held is free.
    Two builds of one target take turns, so the second finds the first one's work.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.parent / f".{target.name}.lock"):
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
    by_use = sorted(pieces, key=lambda path: path.stat().st_mtime)
    for path in by_use[: max(0, len(by_use) - kept)]:
        if time.time() - path.stat().st_mtime > _STILL_WANTED_SECONDS:
            remove(path)


def used(piece: Path) -> None:
    """Note that ``piece`` is used now."""
    os.utime(piece)


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it, also where a folder in it may not be written."""
    if path.is_symlink() or path.is_file():
        path.unlink()
        return
    if not path.exists():
        return
    for parent, _, _ in os.walk(path):
        Path(parent).chmod(0o755)
    shutil.rmtree(path)


def _flush(path: Path) -> None:
    # A rename can reach the disk before the data does; a power cut must not leave an empty image.
    for file in path.iterdir():
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
