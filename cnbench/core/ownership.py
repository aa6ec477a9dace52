"""What only this user could have put where it is.

Root trusts what a folder holds, and another user may have planted a link or a folder there first.
So a link is looked at, not through, and a folder must be this user's and writable for nobody else.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def why_not_ours(path: Path, *, folder: bool) -> str:
    """Why ``path``, a folder or a regular file, is not to be trusted; empty where it is.

    Raises:
        OSError: it cannot be looked at, for one because it is not there.
    """
    return why_not_ours_by(path.lstat(), folder=folder)


def why_not_ours_by(found: os.stat_result, *, folder: bool) -> str:
    """The same of what lstat or fstat has found."""
    wanted = stat.S_ISDIR if folder else stat.S_ISREG
    if not wanted(found.st_mode):
        return f"it is {_kind(found.st_mode)}, not a {'folder' if folder else 'regular file'}"
    if found.st_uid != os.geteuid():
        return "it belongs to another user"
    if found.st_mode & _OTHERS_MAY_WRITE:
        return "others may write to it"
    return ""


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFSOCK: "a socket",
    }
    return kinds.get(stat.S_IFMT(mode), "a file")
