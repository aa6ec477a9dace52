"""The system calls that Python 3.11 does not offer: namespaces, mounts, inotify and others."""

from __future__ import annotations

import ctypes
import errno
import os

CLONE_NEWNET = 0x40000000
CLONE_NEWNS = 0x00020000
MNT_DETACH = 2
_IN_MODIFY = 2
_MS_BIND = 0x1000
_MS_REC = 0x4000
_MS_PRIVATE = 0x40000
# From linux/prctl.h.
_PR_SET_PDEATHSIG = 1

# glibc has no functions for these (asm/unistd.h).
_BPF, _PERF_EVENT_OPEN = "bpf", "perf_event_open"
_NUMBERS = {
    "x86_64": {_BPF: 321, _PERF_EVENT_OPEN: 298},
    "aarch64": {_BPF: 280, _PERF_EVENT_OPEN: 241},
}

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)


def unshare(flags: int) -> None:
    """Move the calling thread into new namespaces (unshare, section 2); raises OSError."""
    _call("unshare", flags)


def setns(descriptor: int, kind: int) -> None:
    """Move the calling thread into the namespace behind ``descriptor``; raises OSError."""
    _call("setns", descriptor, kind)


def mount(source: str, target: str, filesystem: str, options: str) -> None:
    """Mount ``source`` on ``target``, ``options`` as in the fourth column of fstab."""
    _call("mount", source.encode(), target.encode(), filesystem.encode(), 0, options.encode())


def bind(source: str, target: str) -> None:
    """Have the folder or file ``source`` be seen at ``target`` as well; raises OSError."""
    _call("mount", source.encode(), target.encode(), None, _MS_BIND, None)


def keep_mounts_to_oneself() -> None:
    """Have later mounts of this mount namespace be seen in no other; raises OSError."""
    _call("mount", b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)


def unmount(target: str, flags: int = 0) -> None:
    """Unmount ``target``; raises OSError."""
    _call("umount2", target.encode(), flags)


def syncfs(descriptor: int) -> None:
    """Write the file system that ``descriptor`` is in to its device; raises OSError."""
    _call("syncfs", descriptor)


def die_with_parent(number: int) -> None:
    """Have the kernel send this process ``number`` when its parent ends (prctl, section 2)."""
    _call("prctl", _PR_SET_PDEATHSIG, number)


def inotify(path: str) -> int:
    """A descriptor that is readable once ``path`` was modified; raises OSError."""
    descriptor: int = _libc.inotify_init1(os.O_CLOEXEC)
    if descriptor < 0 or _libc.inotify_add_watch(descriptor, path.encode(), _IN_MODIFY) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return descriptor


def bpf(command: int, attributes: ctypes.Array[ctypes.c_char]) -> int:
    """The bpf system call, which may write into ``attributes``; raises OSError."""
    return _system_call(_BPF, command, attributes, len(attributes))


def perf_event_open(attributes: bytes, pid: int, cpu: int, flags: int) -> int:
    """A descriptor that counts what ``attributes`` (struct perf_event_attr) name; raises OSError.

    ``pid`` is a descriptor of a cgroup's folder if ``flags`` say so.
    """
    return _system_call(_PERF_EVENT_OPEN, attributes, pid, cpu, -1, flags)


def _system_call(name: str, *arguments: object) -> int:
    numbers = _NUMBERS.get(os.uname().machine)
    if numbers is None:
        raise OSError(errno.ENOSYS, f"{name} has no number known here for this processor", name)
    returned: int = _libc.syscall(numbers[name], *arguments)
    if returned < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    return returned
