"""Which file systems' mounts can map owners."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour, absent, listed
from cnbench.behaviours.calls import cloned_mount, map_owners
from cnbench.behaviours.overlay.stage import open_overlay
from cnbench.core.errors import UnsupportedError
from cnbench.lab import libc
from cnbench.lab.host import Lab
from cnbench.lab.namespaces.children import in_child

_NEW_USER = 0x10000000  # CLONE_NEWUSER in linux/sched.h
_KINDS = ("tmpfs", "ext4", "overlay")
_ROOM = 1 << 20


@contextlib.contextmanager
def _filesystem(lab: Lab, kind: str) -> Iterator[Path]:
    if kind == "tmpfs":
        with lab.mount("none", lab.temporary_folder(), kind) as folder:
            yield folder
    elif kind == "overlay":
        with open_overlay(lab) as stage:
            yield stage.merged
    else:
        with lab.filesystem(kind, _ROOM) as made:
            yield made.path


def _user_namespace(mapped: bool) -> int:
    """A descriptor of a user namespace: a new one in which 0 is 100000, or the initial one."""
    if not mapped:
        return os.open("/proc/self/ns/user", os.O_RDONLY)
    opened: list[int] = []

    def meanwhile(pid: int) -> None:
        for kind in ("uid", "gid"):
            Path(f"/proc/{pid}/{kind}_map").write_text("0 100000 1000")
        opened.append(os.open(f"/proc/{pid}/ns/user", os.O_RDONLY))

    in_child(lambda: libc.unshare(_NEW_USER), meanwhile)
    return opened[0]


def _maps(lab: Lab, kind: str, namespace: int) -> bool:
    with _filesystem(lab, kind) as folder:
        (folder / "file").touch()
        mount = cloned_mount(str(folder))
        try:
            map_owners(mount, namespace)
            return os.stat("file", dir_fd=mount).st_uid == 100000
        except OSError:
            return False
        finally:
            os.close(mount)


def _probe(lab: Lab, mapped: bool = True) -> str:
    namespace = _user_namespace(mapped)
    able, left_out = [], []
    try:
        for kind in _KINDS:
            try:
                able += [kind] if _maps(lab, kind, namespace) else []
            except UnsupportedError:
                left_out.append(kind)
    finally:
        os.close(namespace)
    said = listed(able) if able or not mapped else absent("idmapped mounts")
    return said + (f" (not asked: {listed(left_out)})" if left_out else "")


BEHAVIOUR = Behaviour(
    name="mounts.idmapped",
    question="Of which file systems can a mount map owners?",
    method="has mount_setattr map owner 0 to 100000, and looks whom a file belongs to",
    matters="pods with a user namespace need it of every volume they mount, secrets on tmpfs too",
    source="FS_ALLOW_IDMAP of each struct file_system_type; mount_setattr(2)",
    probe=_probe,
    controls=(partial(_probe, mapped=False),),
    tools=("mkfs.ext4",),
)
