"""System calls that Python 3.11 has no function for, by their numbers.

Those above 423 are the same on every architecture (scripts/syscall.tbl of the kernel).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

_OPEN_TREE, _MOUNT_SETATTR, _LANDLOCK_CREATE_RULESET = 428, 442, 444
_CURRENT_FOLDER = -100  # AT_FDCWD
_CLONE_TREE = 1  # OPEN_TREE_CLONE
_EMPTY_PATH = 0x1000  # AT_EMPTY_PATH
_IDMAP = 0x00100000  # MOUNT_ATTR_IDMAP

_libc = ctypes.CDLL(None, use_errno=True)


def landlock_version(flags: int) -> int:
    """The version of Landlock's interface, if ``flags`` ask for it; raises OSError."""
    return _call(_LANDLOCK_CREATE_RULESET, None, 0, flags)


def cloned_mount(path: str) -> int:
    """A descriptor of a copy of the mount at ``path`` that is mounted nowhere; raises OSError."""
    return _call(_OPEN_TREE, _CURRENT_FOLDER, path.encode(), _CLONE_TREE | os.O_CLOEXEC)


def map_owners(mount: int, user_namespace: int) -> None:
    """Have files of a cloned ``mount`` belong to whom the namespace maps owners; raises OSError."""
    attributes = struct.pack("QQQQ", _IDMAP, 0, 0, user_namespace)
    _call(_MOUNT_SETATTR, mount, b"", _EMPTY_PATH, attributes, len(attributes))


def _call(number: int, *arguments: object) -> int:
    _libc.syscall.restype = ctypes.c_long
    returned: int = _libc.syscall(ctypes.c_long(number), *arguments)
    if returned < 0:
        reason = ctypes.get_errno()
        raise OSError(reason, os.strerror(reason))
    return returned


def refusal(error: OSError) -> str:
    """Why the kernel refuses something, as an answer."""
    return f"refused: {errno.errorcode.get(error.errno or 0, error.strerror)}"
