"""What the kernel and the runtime say about containers that were started and stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnbench.containers.bundle import MOUNTS, Wanted, targets
from cnbench.containers.first_process import PROGRAM
from cnbench.core.proof import Check, Proof, equal, true

# What the runtime specification calls a kind of namespace, and /proc/PID/ns.
_LINKS = {
    "pid": "pid", "ipc": "ipc", "uts": "uts", "mount": "mnt", "network": "net", "user": "user",
}  # fmt: skip
_FILTERED = 2


@dataclass
class Evidence:
    """Collected over samples.

    Attributes:
        wanted: what the containers were to have.
        namespaces: the kinds that they were to have of their own.
        enclave: the numbers of the enclave's own namespaces, by link.
        overlaid: how many layers the overlayfs at the root lies on, 0 for no overlayfs, or None
            where nothing is asked of it.
        early: containers whose program did not begin between the call for them and the look.
        spaces: each set of kinds of namespaces that were not the enclave's.
        roots: on how many layers the root lay.
        usual: whether the usual mounts were there, and a root.
        mounts: how many of the further mounts were.
        groups: whether they were in a group of their own in every hierarchy.
        programs: what ran in them.
        filtered: seccomp's mode (proc(5)).
        states: what the runtime said.
        left: groups and processes that were there after they were stopped.
    """

    wanted: Wanted
    namespaces: Sequence[str]
    enclave: Mapping[str, str]
    overlaid: int | None = None
    early: int = 0
    spaces: set[tuple[str, ...]] = field(default_factory=set)
    roots: set[int] = field(default_factory=set)
    usual: set[bool] = field(default_factory=set)
    mounts: set[int] = field(default_factory=set)
    groups: set[bool] = field(default_factory=set)
    programs: set[str] = field(default_factory=set)
    filtered: set[int] = field(default_factory=set)
    states: set[str] = field(default_factory=set)
    left: list[str] = field(default_factory=list)

    def see(self, said: Mapping[str, Any], name: str, hierarchies: int) -> None:
        """Take what the kernel says of a running container called ``name``."""
        spaces = said["namespaces"]
        own = {kind for kind, link in _LINKS.items() if spaces[link] != self.enclave[link]}
        self.spaces.add(tuple(sorted(own)))
        self.roots.add(layers_below(said["mounts"]))
        points = [line.split()[4] for line in said["mounts"]]
        self.usual.add({"/", *(mount.target for mount in MOUNTS)} <= set(points))
        self.mounts.add(len(set(targets(self.wanted.mounts)) & set(points)))
        inside = [line for line in said["groups"] if Path(line.split(":", 2)[2]).name == name]
        self.groups.add(len(inside) >= hierarchies)
        self.programs.add(said["program"])
        self.filtered.add(said["filters"])

    def proof(self) -> Proof:
        """The container was one: namespaces, groups, root and filter were its own, and it ran."""
        usual = _FILTERED if self.wanted.seccomp else 0
        checks: tuple[Check, ...] = (
            equal("its own namespaces", {tuple(sorted(self.namespaces))}, self.spaces),
            equal("in its own cgroup in every hierarchy", {True}, self.groups),
            equal("a root and the usual mounts", {True}, self.usual),
            equal("bind mounts beyond them", {self.wanted.mounts}, self.mounts),
            equal("seccomp's mode", {usual}, self.filtered),
            equal("its program", {Path(PROGRAM).name}, self.programs),
            equal("containers whose time was not between call and look", 0, self.early),
            equal("its state by the runtime", {"running"}, self.states),
            true("nothing is left of it", ", ".join(self.left) or "nothing", not self.left),
        )
        if self.overlaid is not None:
            checks += (equal("layers below its root", {self.overlaid}, self.roots),)
        return Proof(checks)


def layers_below(mounts: Sequence[str]) -> int:
    """How many layers the overlayfs at the root lies on; 0 where it is none.

    Args:
        mounts: lines of /proc/PID/mountinfo (proc(5)); what was mounted last counts.
    """
    root = [line for line in mounts if line.split()[4] == "/"][-1]
    kind, _, options = root.split(" - ")[1].split(" ", 2)
    if kind != "overlay":
        return 0
    lower = (word.partition("=") for word in options.split(","))
    return sum(
        paths.count(":") + 1 for name, _, paths in lower if name in ("lowerdir", "lowerdir+")
    )
