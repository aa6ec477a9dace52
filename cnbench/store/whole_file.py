"""Files that are written in one step: a reader sees the old contents or the new, never a part.

A path that a user named is not ours to destroy: only a regular file is ever replaced. A link leads
to what it names, a pipe or a terminal is written into, and nothing else is touched.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from cnbench.core.errors import UsageError
from cnbench.core.ownership import why_not_ours_by

_UNFINISHED = re.compile(r"\.cnbench-[0-9a-f]{12}\.part")
# As many as the kernel follows (path_resolution(7)).
_MOST_LINKS = 40


def write(path: Path, contents: bytes, what: str) -> None:
    """Write ``contents`` to ``path``, whose folder is made if need be; ``what`` names it in errors.

    Raises:
        UsageError: it could not be written (a full disk, a read-only folder, a disk's device); what
            was in ``path`` before is still there.
    """
    try:
        place = followed(path)
        if is_stream(place):
            _pour(place, contents)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            remove_unfinished(place.parent)
            _replace(place, contents)
    except OSError as error:
        raise not_written(what, path, error) from error


def not_written(what: str, path: Path, error: OSError) -> UsageError:
    """What a user is told where ``path``, ``what`` it is, could not be written."""
    return UsageError(
        f"{what} {path} could not be written: {error.strerror}",
        "free some space, or write elsewhere: -o FILE",
    )


def followed(path: Path) -> Path:
    """Where ``path`` leads by links; one that another user has put into a shared folder does not.

    The kernel does the same (fs.protected_symlinks) where it is asked to. What a process has open
    (``/dev/stdout``) is no place in a folder: there the path itself is given.

    Raises:
        OSError: a link is not to be followed, or leads in a circle.
    """
    for _ in range(_MOST_LINKS):
        if not path.is_symlink():
            return path
        folder = path.parent.resolve()
        if folder.is_relative_to("/proc"):
            return path
        _refuse_a_planted_link(path, folder)
        path = folder / path.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def _refuse_a_planted_link(path: Path, folder: Path) -> None:
    shared = folder.stat().st_mode & (stat.S_ISVTX | stat.S_IWOTH)
    if shared == stat.S_ISVTX | stat.S_IWOTH and path.lstat().st_uid not in (0, os.geteuid()):
        raise OSError(errno.EACCES, "it is a link that another user has made", str(path))


def is_stream(place: Path) -> bool:
    """Whether ``place`` is written into (a pipe, a terminal, /dev/null), rather than replaced.

    Raises:
        OSError: it is nothing that could be written: a folder, a disk, a socket.
    """
    try:
        mode = place.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(place))
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        raise OSError(errno.EINVAL, "it is a disk or a socket", str(place))
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode) or place.is_symlink()


def _pour(place: Path, contents: bytes) -> None:
    descriptor = os.open(place, os.O_WRONLY | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(contents)


def _replace(place: Path, contents: bytes) -> None:
    unfinished = place.parent / f".cnbench-{secrets.token_hex(6)}.part"
    # The umask decides who may read it, as of any file; nothing is set by name, which another
    # user could have made a link meanwhile.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(unfinished, flags, 0o666), "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
            unfinished.replace(place)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def remove_unfinished(folder: Path, *, dry_run: bool = False) -> list[Path]:
    """Remove what killed processes had half written into ``folder``; gives what it was.

    Who writes one holds a lock on it, which the kernel drops at any death.
    """
    return [path for path in _unfinished(folder) if _removed(path, dry_run)]


def _unfinished(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from (path for path in sorted(folder.iterdir()) if _UNFINISHED.fullmatch(path.name))


def _removed(path: Path, dry_run: bool) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if why_not_ours_by(os.fstat(descriptor), folder=False):
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not dry_run:
            path.unlink()
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
