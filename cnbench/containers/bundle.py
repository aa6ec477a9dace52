"""One OCI bundle: what every runtime is asked for, in the words of the runtime specification.

Mounts and namespaces are those of `runc spec`. The seccomp profile refuses what Docker's default
profile does, by name ("Significant syscalls blocked by the default profile" in Docker's manual).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnbench.containers.first_process import PROGRAM

HOSTNAME = "container"
_NOSUID, _NODEV, _NOEXEC = 2, 4, 8  # MS_ of sys/mount.h

# x86-64's numbers of what the profile refuses (asm/unistd_64.h).
REFUSED = {
    "acct": 163, "add_key": 248, "bpf": 321, "clock_adjtime": 305, "clock_settime": 227,
    "delete_module": 176, "finit_module": 313, "get_mempolicy": 239, "init_module": 175,
    "ioperm": 173, "iopl": 172, "kcmp": 312, "kexec_file_load": 320, "kexec_load": 246,
    "keyctl": 250, "lookup_dcookie": 212, "mbind": 237, "mount": 165, "move_pages": 279,
    "open_by_handle_at": 304, "perf_event_open": 298, "personality": 135, "pivot_root": 155,
    "process_vm_readv": 310, "process_vm_writev": 311, "ptrace": 101, "quotactl": 179,
    "reboot": 169, "request_key": 249, "set_mempolicy": 238, "setns": 308, "settimeofday": 164,
    "swapon": 167, "swapoff": 168, "umount2": 166, "unshare": 272, "userfaultfd": 323,
}  # fmt: skip


@dataclass(frozen=True)
class Mount:
    """A file system that every container has: what is mounted where, with which flags."""

    target: str
    kind: str
    flags: int
    options: tuple[str, ...] = ()

    def specified(self) -> dict[str, object]:
        """As the runtime specification writes it."""
        words = {_NOSUID: "nosuid", _NODEV: "nodev", _NOEXEC: "noexec"}
        flags = [word for flag, word in words.items() if self.flags & flag]
        return {
            "destination": self.target, "type": self.kind, "source": self.kind,
            "options": [*flags, *self.options],
        }  # fmt: skip


_SAFE = _NOSUID | _NODEV | _NOEXEC
MOUNTS = (
    Mount("/proc", "proc", 0),
    Mount("/dev", "tmpfs", _NOSUID, ("mode=755", "size=65536k")),
    Mount("/dev/pts", "devpts", _NOSUID | _NOEXEC, ("newinstance", "ptmxmode=0666", "mode=0620")),
    Mount("/dev/shm", "tmpfs", _SAFE, ("mode=1777", "size=65536k")),  # noqa: S108  the container's
    Mount("/dev/mqueue", "mqueue", _SAFE),
    Mount("/sys", "sysfs", _SAFE),
)


@dataclass(frozen=True)
class Wanted:
    """What a container is to have.

    Attributes:
        mounts: further bind mounts, each of an empty folder on one of the image's.
        seccomp: whether system calls are filtered.
        user: whether it has a user namespace of its own.
        network: ``host`` for the enclave's network namespace, ``none`` for an empty one of its own,
            ``bridge`` for a pod's.
        layers: of the image, for a runtime that is given one.
        snapshotter: what lays its files out; empty for what the runtime does by itself.
    """

    mounts: int = 0
    seccomp: bool = False
    user: bool = False
    network: str = "host"
    layers: int = 1
    snapshotter: str = ""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The kinds that it has of its own, as the specification calls them."""
        own = ["pid", "ipc", "uts", "mount"]
        own += [] if self.network == "host" else ["network"]
        return (*own, *(["user"] if self.user else []))


def specification(wanted: Wanted, root: Path, cgroup: str, extra: Path) -> dict[str, Any]:
    """The contents of config.json.

    Args:
        wanted: what the container has.
        root: the folder of its files.
        cgroup: the group of its own, from the root of each hierarchy.
        extra: an empty folder, mounted as often as is wanted.
    """
    linux: dict[str, Any] = {
        "cgroupsPath": cgroup,
        "namespaces": [{"type": kind} for kind in wanted.namespaces],
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
    }
    if wanted.user:
        own = [{"containerID": 0, "hostID": 0, "size": 1}]
        linux |= {"uidMappings": own, "gidMappings": own}
    if wanted.seccomp:
        linux["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{"names": list(REFUSED), "action": "SCMP_ACT_ERRNO"}],
        }  # fmt: skip
    return {
        "ociVersion": "1.0.2",
        "process": {
            "args": [PROGRAM], "cwd": "/", "user": {"uid": 0, "gid": 0},
            "env": ["PATH=/bin"], "noNewPrivileges": True,
        },
        "root": {"path": str(root)},
        "hostname": HOSTNAME,
        "mounts": [
            *(mount.specified() for mount in MOUNTS),
            *_binds(extra, targets(wanted.mounts)),
        ],
        "linux": linux,
    }  # fmt: skip


def targets(count: int) -> list[str]:
    """Where the further mounts go, all on folders that the image has."""
    return [f"/mnt/{number}" for number in range(count)]


def _binds(extra: Path, paths: Sequence[str]) -> list[dict[str, object]]:
    return [
        {"destination": path, "type": "bind", "source": str(extra), "options": ["bind", "rw"]}
        for path in paths
    ]


def write(folder: Path, contents: dict[str, Any]) -> None:
    """Make ``folder`` a bundle of that config.json."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(contents))
