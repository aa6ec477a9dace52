"""Limits to what the processes of a group write to a disk."""

from __future__ import annotations

from dataclasses import dataclass

from cnbench.lab.cgroups.group import Cgroup


@dataclass(frozen=True)
class IoLimit:
    """A limit to writing.

    Attributes:
        disk: the disk's major and minor number, ``7:3``.
        rate: bytes a second, or writes a second.
        operations: whether it is writes.
    """

    disk: str
    rate: int
    operations: bool

    def set(self, group: Cgroup) -> None:
        """Give ``group`` the limit; raises CnbenchError where the kernel refuses it."""
        if group.version == "v2":
            group.write("io.max", f"{self.disk} {self._key}={self.rate}")
        else:
            group.write(self._file, self.line())

    def line(self) -> str:
        """The limit as the kernel is to say it."""
        return f"{self.disk} {self.rate}"

    def read_back(self, group: Cgroup) -> str:
        """The limit for the disk as the kernel has it now, empty where it has none."""
        name = "io.max" if group.version == "v2" else self._file
        for line in group.read(name).splitlines():
            disk, *rest = line.split()
            if disk == self.disk:
                limits = dict(part.partition("=")[::2] for part in rest)
                return f"{disk} {limits[self._key] if group.version == 'v2' else rest[0]}"
        return ""

    @property
    def _key(self) -> str:
        return "wiops" if self.operations else "wbps"

    @property
    def _file(self) -> str:
        return f"blkio.throttle.write_{'iops' if self.operations else 'bps'}_device"
