"""Which file systems a user namespace's root may mount."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour, listed
from cnbench.lab import libc
from cnbench.lab.host import Lab
from cnbench.lab.namespaces.children import in_child

_NEW_USER = 0x10000000  # CLONE_NEWUSER in linux/sched.h
_KINDS = ("tmpfs", "overlay", "bpf", "ramfs", "mqueue")


def _mounted(folder: Path, flags: int) -> str:
    """What the caller, once in new namespaces, can mount."""
    libc.unshare(flags)
    # Without a mapping, nothing that is made would belong to anybody.
    Path("/proc/self/setgroups").write_text("deny")
    for kind in ("uid", "gid"):
        Path(f"/proc/self/{kind}_map").write_text("0 0 1")
    parts = [folder / name for name in ("lower", "upper", "work")]
    overlay = ",".join(f"{part.name}dir={part}" for part in parts)
    done = []
    for kind in _KINDS:
        with contextlib.suppress(OSError):
            libc.mount("none", str(folder / "there"), kind, overlay if kind == "overlay" else "")
            done.append(kind)
            libc.unmount(str(folder / "there"), libc.MNT_DETACH)
    return listed(done)


def _probe(lab: Lab, flags: int = _NEW_USER | libc.CLONE_NEWNS) -> str:
    with lab.mount("none", lab.temporary_folder(), "tmpfs", "mode=777") as folder:
        for name in ("lower", "upper", "work", "there"):
            (folder / name).mkdir(mode=0o777)
        return str(in_child(lambda: _mounted(folder, flags)))


BEHAVIOUR = Behaviour(
    name="mounts.in-user-namespace",
    question="What may root of a user namespace mount?",
    method=f"tries {', '.join(_KINDS)} in new user and mount namespaces",
    matters="rootless containers need fuse-overlayfs where overlay is not among them",
    source="FS_USERNS_MOUNT of each struct file_system_type, in fs/overlayfs/super.c and others",
    probe=_probe,
    # Without a mount namespace of its own, it may mount nothing at all.
    controls=(partial(_probe, flags=_NEW_USER),),
)
