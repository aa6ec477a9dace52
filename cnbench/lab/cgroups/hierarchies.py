"""Where each cgroup controller is, in which version, and the folder of a run's own below it.

Controllers are called as v1 calls them (cgroups(7)); v2 calls ``blkio`` ``io``, and has some in
every group without a name of their own: freezing, CPU time, filtered perf events, and device
programs.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, cast

from cnbench.core.errors import UnsupportedError
from cnbench.lab import libc
from cnbench.lab.journal import Journal
from cnbench.lab.resources import MARK, Resource

Version = Literal["v1", "v2"]

_NAMES_ON_V2 = {"blkio": "io"}
_IN_EVERY_GROUP_OF_V2 = {"cpuacct", "devices", "freezer", "perf_event"}
# In every group of v2 too, but only while no v1 hierarchy has it.
_ONCE = {"perf_event"}
# These have no successor on v2, where a BPF program sees the group itself.
_V1_ALONE = {"net_cls", "net_prio"}


@dataclass(frozen=True)
class Hierarchy:
    """The tree of groups that a controller is in.

    Attributes:
        controller: its name on v1.
        version: of the interface.
        root: the tree's root folder; None where a v1 controller is nowhere, and can be mounted.
    """

    controller: str
    version: Version
    root: Path | None

    @property
    def name(self) -> str:
        """What this version calls the controller, empty where every group has it."""
        if self.version == "v1":
            return self.controller
        if self.controller in _IN_EVERY_GROUP_OF_V2:
            return ""
        return _NAMES_ON_V2.get(self.controller, self.controller)


def find(controller: str, mounts: str | None = None, known: str | None = None) -> list[Hierarchy]:
    """The hierarchies in which ``controller`` can be used here, v1 first.

    Read from /proc/mounts and /proc/cgroups, or from ``mounts`` and ``known``, their texts.
    """
    mounts = Path("/proc/mounts").read_text() if mounts is None else mounts
    known = Path("/proc/cgroups").read_text() if known is None else known
    free = _is_free(controller, known)
    found: list[Hierarchy] = []
    for line in mounts.splitlines():
        _device, target, kind, options, *_ = line.split()
        if kind == "cgroup" and controller in options.split(","):
            # One that a run mounted for itself goes with that run; it can be mounted once more.
            own = any(part.startswith(MARK) for part in Path(target).parts)
            found.insert(0, Hierarchy(controller, "v1", None if own else Path(target)))
        elif kind == "cgroup2" and _has(here := Hierarchy(controller, "v2", Path(target)), free):
            found.append(here)
    # What v2 has by name, or as a whole, a mount of v1 would take from it.
    taken = any(
        hierarchy.name or controller in _ONCE for hierarchy in found if hierarchy.version == "v2"
    )
    if free and not taken and not any(hierarchy.version == "v1" for hierarchy in found):
        found.insert(0, Hierarchy(controller, "v1", None))
    return list(dict.fromkeys(found))


def _has(hierarchy: Hierarchy, free: bool) -> bool:
    """Whether the v2 ``hierarchy`` has its controller, which is ``free`` of v1 or not."""
    if hierarchy.controller in _V1_ALONE or (hierarchy.controller in _ONCE and not free):
        return False
    root = cast(Path, hierarchy.root)
    return not hierarchy.name or hierarchy.name in controllers_in(root)


def controllers_in(root: Path) -> list[str]:
    """The controllers of the v2 group ``root``; none where another mount hides the folder."""
    try:
        return (root / "cgroup.controllers").read_text().split()
    except FileNotFoundError:
        return []


def _is_free(controller: str, known: str) -> bool:
    """Whether the kernel has ``controller``, enabled and in no v1 hierarchy."""
    rows = (line.split() for line in known.splitlines() if not line.startswith("#"))
    return any((name, where, on) == (controller, "0", "1") for name, where, _, on in rows)


def require(controller: str, version: str) -> Hierarchy:
    """The hierarchy of ``controller`` in ``version``.

    Raises:
        UnsupportedError: it cannot be used so on this machine.
    """
    found = {mounted.version: mounted for mounted in find(controller)}
    for name, hierarchy in found.items():
        if name == version:
            if os.geteuid() != 0:
                raise UnsupportedError("making a cgroup needs root", "run as root, or --lab guest")
            return hierarchy
    elsewhere = f"it is on {', '.join(found)}" if found else "it is on neither version"
    remedy = "the guest lab has cgroup v2: --lab guest"
    if version == "v2" and controller in _V1_ALONE:
        remedy = "v2 has no such controller; a BPF program does its work there"
    elif version == "v1":
        remedy = "a machine that mounts it as cgroup v1 can"
    raise UnsupportedError(f"cgroup {version} has no {controller} on this machine; {elsewhere}",
                           remedy)  # fmt: skip


@contextlib.contextmanager
def open_mount(journal: Journal, hierarchy: Hierarchy, folder: Path) -> Iterator[Path]:
    """Mount a v1 ``hierarchy`` that is nowhere below ``folder``, which is ours.

    Raises:
        UnsupportedError: the kernel refuses.
    """
    controller = hierarchy.controller
    target = folder / f"v1-{controller}"
    target.mkdir(exist_ok=True)
    with journal.owning(Resource("hierarchy", f"{target} {controller}")):
        try:
            libc.mount(controller, str(target), "cgroup", controller)
        except OSError as error:
            raise UnsupportedError(
                f"cgroup v1's {controller} cannot be mounted: {error.strerror}",
                "use another kernel: --lab guest",
            ) from error
        yield target


@contextlib.contextmanager
def open_run_folder(journal: Journal, root: Path) -> Iterator[Path]:
    """The folder in the hierarchy at ``root`` below which all groups of a run are made."""
    folder = root / f"{MARK}{journal.run}"
    with journal.owning(Resource("cgroup", str(folder))):
        with explaining(f"the cgroup {folder} cannot be made"):
            folder.mkdir()
        inherit_cpus(folder)
        yield folder


@contextlib.contextmanager
def passed_on(journal: Journal, folder: Path, name: str) -> Iterator[None]:
    """Have the v2 group ``folder`` give the controller ``name`` to its children.

    Taken back by the last run that leaves, unless it did so before any of ours came.
    """
    if not name:
        yield
        return
    resource = Resource("controller", f"{folder} {name}")
    with journal.sharing(
        resource, partial(passes_on, folder, name), partial(pass_on, folder, name)
    ):
        yield


def name_to_pass_on(hierarchy: Hierarchy) -> str:
    """The controller that v2 groups have to pass on for those below to have ``hierarchy``'s.

    Filtered perf events are in every group without a name, but only once a controller with one has
    been passed on: which controllers a group gives its children is worked out for whoever writes
    cgroup.subtree_control (cgroup_calc_subtree_ss_mask in kernel/cgroup/cgroup.c), and for the root
    by nobody else. An init system has long done so; a machine that has none refuses with ENOENT.
    """
    if hierarchy.controller not in _ONCE or hierarchy.root is None:
        return hierarchy.name
    return next(iter(controllers_in(hierarchy.root)), "")


def passes_on(folder: Path, name: str) -> bool:
    """Whether the v2 group ``folder`` gives the controller ``name`` to its children."""
    return name in (folder / "cgroup.subtree_control").read_text().split()


def pass_on(folder: Path, name: str) -> None:
    """Have the v2 group ``folder`` give the controller ``name`` to its children from now on.

    Raises:
        UnsupportedError: it has processes of its own, not that controller, or is read-only.
    """
    with explaining(f"{folder} does not pass the {name} controller on"):
        (folder / "cgroup.subtree_control").write_text(f"+{name}")


@contextlib.contextmanager
def explaining(what: str) -> Iterator[None]:
    """Say ``what`` could not be done where the system refuses something inside.

    Raises:
        UnsupportedError: it refused.
    """
    try:
        yield
    except OSError as error:
        raise UnsupportedError(f"{what}: {error.strerror}", "use --lab guest") from error


def inherit_cpus(folder: Path) -> None:
    """On v1 a new cpuset is empty, and takes no process until it has CPUs and memory nodes."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        own = folder / name
        if own.exists() and (folder / "cgroup.clone_children").exists():
            own.write_text((folder.parent / name).read_text())
