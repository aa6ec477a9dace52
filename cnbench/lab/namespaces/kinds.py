"""The kinds of namespaces, as namespaces(7) has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_FOR_CHILDREN = "_for_children"


@dataclass(frozen=True)
class Kind:
    """One kind of namespace.

    Attributes:
        name: its link in /proc/PID/ns.
        flag: for the system calls, from linux/sched.h.
        children_only: a process that asks for a new one does not enter it, its children do.
    """

    name: str
    flag: int
    children_only: bool = False

    @property
    def link(self) -> str:
        """The link that changes when a process unshares it."""
        return self.name + _FOR_CHILDREN if self.children_only else self.name


# A user namespace comes last: who has entered it has no rights over others that it does not own.
KINDS = (
    Kind("uts", 1 << 26),
    Kind("ipc", 1 << 27),
    Kind("cgroup", 1 << 25),
    Kind("time", 1 << 7, children_only=True),
    Kind("pid", 1 << 29, children_only=True),
    Kind("mnt", 1 << 17),
    Kind("net", 1 << 30),
    Kind("user", 1 << 28),
)


def flags_of(kinds: Iterable[Kind]) -> int:
    """The flags of all ``kinds`` together."""
    return sum(kind.flag for kind in kinds)


def numbers(pid: int | str = "self") -> dict[str, str]:
    """What the links of a process's namespaces say: ``{"uts": "uts:[4026531838]"}``.

    A pid namespace has no number before its first process, so its link is left out until then.
    """
    links = [link for link in Path("/proc", str(pid), "ns").iterdir() if link.exists()]
    return {link.name: str(link.readlink()) for link in links}


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The kinds whose number is another or gone, in alphabetical order."""
    links = {link for link in before | after if before.get(link) != after.get(link)}
    return sorted({link.removesuffix(_FOR_CHILDREN) for link in links})
