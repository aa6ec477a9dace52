"""What numbers the initial namespaces have."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour
from cnbench.core.errors import UnsupportedError
from cnbench.lab import libc
from cnbench.lab.host import Lab
from cnbench.lab.namespaces.children import in_child

_KINDS = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
_NEW_UTS = 0x04000000  # CLONE_NEWUTS in linux/sched.h


def _numbers(of: str) -> str:
    try:
        links = {kind: str(Path(f"/proc/{of}/ns/{kind}").readlink()) for kind in _KINDS}
    except PermissionError:
        raise UnsupportedError(
            f"this user may not look at process {of}", "run as root outside of a container"
        ) from None
    return ", ".join(f"{kind} {re.sub(r'[^0-9]', '', link)}" for kind, link in links.items())


def _probe(lab: Lab, new: int = 0) -> str:
    if not new:
        return _numbers("1")

    def in_new_namespaces() -> str:
        libc.unshare(new)
        return _numbers("self")

    return str(in_child(in_new_namespaces))


BEHAVIOUR = Behaviour(
    name="namespaces.initial-numbers",
    question="What are the inode numbers of process 1's namespaces?",
    method="reads the links in /proc/1/ns",
    matters="tools tell by them whether they are in a container; those that are not fixed differ "
    "from boot to boot",
    source="include/uapi/linux/nsfs.h and include/linux/proc_ns.h: PROC_*_INIT_INO",
    probe=_probe,
    controls=(partial(_probe, new=libc.CLONE_NEWNET | _NEW_UTS),),
)
