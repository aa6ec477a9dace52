"""Mounts of the run's own, and what the kernel says about them afterwards."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.lab import libc
from cnbench.lab.journal import Journal
from cnbench.lab.resources import Resource

_ESCAPED = re.compile(r"\\([0-7]{3})")
# What mount(2) gives for a file system or an option that the kernel does not know, or not here.
_REFUSALS = (errno.EINVAL, errno.ENODEV, errno.EOPNOTSUPP)


@contextlib.contextmanager
def open_mount(
    journal: Journal, source: str, target: Path, filesystem: str, options: str = ""
) -> Iterator[Path]:
    """Mount ``source`` on the folder ``target``, and unmount it on leaving.

    Raises:
        UnsupportedError: the kernel has no such file system, or refuses the options.
        CnbenchError: it cannot be mounted for another reason.
    """
    with journal.owning(Resource("mount", str(target))):
        mount(source, target, filesystem, options)
        yield target


def mount(source: str, target: Path, filesystem: str, options: str = "") -> None:
    """Mount ``source`` on ``target``, which the caller has in the journal; errors as above."""
    try:
        libc.mount(source, str(target), filesystem, options)
    except OSError as error:
        what = f"{filesystem} cannot be mounted ({options or 'no options'}): {error.strerror}"
        if error.errno in _REFUSALS:
            raise UnsupportedError(what, "use another kernel: --lab guest") from error
        if error.errno == errno.EPERM:
            raise UnsupportedError(what, "run as root, or in the guest lab: --lab guest") from error
        raise CnbenchError(what, "`dmesg` may say more") from error


def unmount(target: Path) -> None:
    """Unmount ``target``, for ``mount`` to follow.

    Raises:
        CnbenchError: it is in use.
    """
    try:
        libc.unmount(str(target))
    except OSError as error:
        raise CnbenchError(f"{target} cannot be unmounted: {error.strerror}") from error


def mount_options(target: Path, table: str | None = None) -> dict[str, str]:
    """The options of the last mount on ``target`` as the kernel has them; a flag's value is "".

    Read from /proc/mounts, or from ``table``, its text.

    Raises:
        CnbenchError: nothing is mounted there.
    """
    if table is None:
        table = Path("/proc/mounts").read_text()
    # The table has no symbolic links, which the way to the temporary folder may have.
    named = target.parent.resolve() / target.name
    for line in reversed(table.splitlines()):
        _source, where, _filesystem, options, *_ = line.split(" ")
        if _unescaped(where) == str(named):
            pairs = (option.partition("=") for option in options.split(","))
            return {name: value for name, _equals, value in pairs}
    raise CnbenchError(f"nothing is mounted on {target}")


def is_mounted(target: Path) -> bool:
    """Whether something is mounted on ``target``."""
    try:
        mount_options(target)
    except CnbenchError:
        return False
    return True


def filesystem_of(path: Path, table: str | None = None) -> str:
    """The type of the file system that ``path`` is on.

    Read from /proc/mounts, or from ``table``, its text.
    """
    if table is None:
        table = Path("/proc/mounts").read_text()
    # Of two mounts on one folder the later counts, and of nested ones the longer.
    kinds = {_unescaped(line.split(" ")[1]): line.split(" ")[2] for line in table.splitlines()}
    above = [str(folder) for folder in (path.resolve(), *path.resolve().parents)]
    return next((kinds[folder] for folder in above if folder in kinds), "unknown")


def known_filesystems() -> set[str]:
    """The file systems that this kernel can mount without loading a module."""
    return {line.split("\t")[-1] for line in Path("/proc/filesystems").read_text().splitlines()}


def flush(path: Path) -> None:
    """Write everything that waits in the file system of ``path`` to its device (syncfs(2))."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        libc.syncfs(descriptor)
    finally:
        os.close(descriptor)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda escape: chr(int(escape[1], 8)), text)
