"""A cgroup of a run's own: its files, and who is in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import CnbenchError
from cnbench.lab.cgroups.hierarchies import Hierarchy, inherit_cpus, pass_on
from cnbench.lab.journal import Journal
from cnbench.lab.resources import Resource


@dataclass(frozen=True)
class Cgroup:
    """A cgroup. Use ``open_group``.

    Attributes:
        folder: where it is.
        hierarchy: the tree it is in.
    """

    folder: Path
    hierarchy: Hierarchy

    @property
    def version(self) -> str:
        """``v1`` or ``v2``."""
        return self.hierarchy.version

    def has(self, name: str) -> bool:
        """Whether the kernel gives the group a file called ``name``."""
        return (self.folder / name).exists()

    def read(self, name: str) -> str:
        """What is in the file called ``name``; raises OSError."""
        return (self.folder / name).read_text()

    def number(self, name: str) -> int:
        """The number in the file called ``name``; raises OSError."""
        return int(self.read(name))

    def table(self, name: str) -> dict[str, int]:
        """The counters in the file called ``name``, one ``key value`` a line; raises OSError."""
        pairs = (line.split() for line in self.read(name).splitlines())
        return {key: int(value) for key, value in pairs}

    def write(self, name: str, value: object) -> None:
        """Write ``value`` into the file called ``name``.

        Raises:
            CnbenchError: the kernel refuses it.
        """
        try:
            (self.folder / name).write_text(str(value))
        except OSError as error:
            raise CnbenchError(f"the kernel refuses {name} = {value}: {error.strerror}") from error

    def add(self, pid: int) -> None:
        """Move the process into the group; raises CnbenchError."""
        self.write("cgroup.procs", pid)

    def members(self) -> list[int]:
        """The processes in the group, in rising order."""
        return sorted(int(pid) for pid in self.read("cgroup.procs").split())


@contextlib.contextmanager
def open_group(journal: Journal, above: Path, hierarchy: Hierarchy, name: str) -> Iterator[Cgroup]:
    """A new cgroup called ``name`` below the folder ``above``; what is in it is killed at its end.

    Raises:
        CnbenchError: on v2, ``above`` has processes of its own.
    """
    if hierarchy.version == "v2" and hierarchy.name:
        pass_on(above, hierarchy.name)
    folder = above / name
    with journal.owning(Resource("cgroup", str(folder))):
        folder.mkdir()
        inherit_cpus(folder)
        yield Cgroup(folder, hierarchy)
