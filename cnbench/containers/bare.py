"""The kernel calls alone that start a container: what no runtime can be faster than.

Cgroups are made, a process begins in its namespaces and groups, mounts what the bundle asks for,
changes its root, drops what it must not do, and becomes the container's program. What a runtime
does besides is left out: reading the bundle, hooks, device nodes, masked paths, keeping a state.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnbench.containers.bundle import HOSTNAME, MOUNTS, REFUSED, Wanted, targets
from cnbench.containers.first_process import PROGRAM
from cnbench.containers.table import Table, carry_out, pointers
from cnbench.core.errors import CnbenchError

_FLAGS = {
    "mount": 0x00020000, "uts": 0x04000000, "ipc": 0x08000000, "user": 0x10000000,
    "pid": 0x20000000, "network": 0x40000000,
}  # fmt: skip
_BIND, _REC, _PRIVATE = 0x1000, 0x4000, 0x40000
_DETACH = 2
_AT_FDCWD, _WRITE_ONLY, _CLOSE_ON_EXEC = -100, 1, 0x80000
_SET_NO_NEW_PRIVS, _FILTER_MODE = 38, 1
_SET_MASK = 2


@dataclass
class Recipe:
    """The calls of one container, laid out before the time is taken.

    Attributes:
        maker: what is called before its process is made, and that.
        child: what its process calls.
        position: of the call that makes it, in ``maker``.
    """

    maker: Table
    child: Table
    position: int


def start(recipe: Recipe) -> int:
    """Make the container; the number of its process.

    Raises:
        CnbenchError: the kernel refused a call; it says which.
    """
    carry_out(recipe.maker)
    pid = recipe.maker.results()[recipe.position]
    if refused := recipe.child.refused():  # in the memory that it shared until execve
        os.waitpid(pid, 0)
        raise CnbenchError(refused)
    return pid


def recipe(asked: Mapping[str, Any]) -> Recipe:
    """The calls for ``root``, ``extra`` (folders), ``groups`` (to make) and what is ``wanted``."""
    wanted = Wanted(**asked["wanted"])
    maker, child = Table(), Table()
    *descriptors, next_one = _next_descriptors(len(asked["groups"]) + 1)
    for descriptor, group in zip(descriptors, asked["groups"], strict=True):
        maker.call("mkdir", group, 0o755)
        _inherit_cpus(maker, Path(group), descriptor)
        path = f"{group}/cgroup.procs"
        maker.call("openat", _AT_FDCWD, path, _WRITE_ONLY | _CLOSE_ON_EXEC)
        child.call("write", descriptor, b"0", 1)
    if wanted.user:
        _map_users(child, next_one)
    _change_root(child, asked["root"], asked["extra"], wanted)
    _drop(child, wanted)
    argv, address = pointers([PROGRAM])
    environment, its_address = pointers(["PATH=/bin"])
    child.keep(argv, environment)
    child.call("execve", PROGRAM, address, its_address)
    position = len(maker)
    maker.clone(sum(_FLAGS[kind] for kind in wanted.namespaces), child)
    for descriptor in descriptors:
        maker.call("close", descriptor)
    return Recipe(maker, child, position)


def _next_descriptors(count: int) -> list[int]:
    """The descriptors that the next opens give: a table cannot pass results on."""
    opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
    for descriptor in opened:
        os.close(descriptor)
    return opened


def _inherit_cpus(maker: Table, group: Path, descriptor: int) -> None:
    """On v1 a new cpuset takes no process until it has CPUs and memory nodes."""
    if not (group.parent / "cgroup.clone_children").exists():
        return
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (group.parent / name).exists():
            text = (group.parent / name).read_bytes()
            maker.call("openat", _AT_FDCWD, str(group / name), _WRITE_ONLY | _CLOSE_ON_EXEC)
            maker.call("write", descriptor, text, len(text))
            maker.call("close", descriptor)


def _map_users(child: Table, descriptor: int) -> None:
    """Have root be root inside.

    The child itself may map its own user alone, and its group once it has given up to set others
    (user_namespaces(7)).
    """
    for name, text in (("uid_map", b"0 0 1"), ("setgroups", b"deny"), ("gid_map", b"0 0 1")):
        child.call("openat", _AT_FDCWD, f"/proc/self/{name}", _WRITE_ONLY | _CLOSE_ON_EXEC)
        child.call("write", descriptor, text, len(text))
        child.call("close", descriptor)


def _change_root(child: Table, root: str, extra: str, wanted: Wanted) -> None:
    child.call("mount", b"none", b"/", 0, _REC | _PRIVATE, 0)
    child.call("mount", root, root, 0, _BIND | _REC, 0)
    for mount in MOUNTS:
        if mount.target.startswith("/dev/"):
            child.call("mkdir", root + mount.target, 0o755)
        options = ",".join(mount.options)
        child.call("mount", mount.kind, root + mount.target, mount.kind, mount.flags, options)
    for target in targets(wanted.mounts):
        child.call("mount", extra, root + target, 0, _BIND, 0)
    child.call("chdir", root)
    # The old root is put on top of the new one, and taken away from there (pivot_root(2)).
    child.call("pivot_root", b".", b".")
    child.call("umount2", b".", _DETACH)
    child.call("chdir", b"/")
    child.call("sethostname", HOSTNAME, len(HOSTNAME))


def _drop(child: Table, wanted: Wanted) -> None:
    child.call("rt_sigprocmask", _SET_MASK, bytes(8), 0, 8)
    child.call("prctl", _SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if wanted.seccomp:
        program = filter_program(list(REFUSED.values()))
        instructions = ctypes.create_string_buffer(program, len(program))
        # struct sock_fprog: how many instructions, and where.
        header = struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(instructions))
        child.keep(instructions)
        child.call("seccomp", _FILTER_MODE, 0, ctypes.create_string_buffer(header, len(header)))


def filter_program(refused: Sequence[int]) -> bytes:
    """A seccomp filter (struct sock_filter each) that answers ``refused`` with EPERM."""
    load, equal, give = 0x20, 0x15, 0x06
    allow, errno_eperm, kill = 0x7FFF0000, 0x00050001, 0x80000000
    x86_64 = 0xC000003E
    lines = [(load, 0, 0, 4), (equal, 1, 0, x86_64), (give, 0, 0, kill), (load, 0, 0, 0)]
    for position, number in enumerate(refused):
        lines.append((equal, len(refused) - position, 0, number))
    lines += [(give, 0, 0, allow), (give, 0, 0, errno_eperm)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
