"""Loop devices: a file that the kernel serves as a disk of the run's own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.lab import commands
from cnbench.lab.journal import Journal
from cnbench.lab.resources import Resource

# /sys/block/*/stat counts in these, whatever the device's own (Documentation/block/stat.rst).
_SECTOR = 512
_WRITTEN_SECTORS = 6


@dataclass(frozen=True)
class LoopDevice:
    """An attached loop device. Use ``open_loop_device``.

    Attributes:
        path: its node, ``/dev/loop3``.
        image: the file behind it.
    """

    path: Path
    image: Path

    @property
    def direct(self) -> bool:
        """Whether it passes the page cache of the image's own file system by."""
        return (self._folder / "loop/dio").read_text().strip() == "1"

    def written(self) -> int:
        """Bytes that were written to it so far; only differences mean anything."""
        return int((self._folder / "stat").read_text().split()[_WRITTEN_SECTORS]) * _SECTOR

    @property
    def _folder(self) -> Path:
        return Path("/sys/block", self.path.name)


@contextlib.contextmanager
def open_loop_device(journal: Journal, image: Path) -> Iterator[LoopDevice]:
    """Attach ``image``, with direct I/O where the file system it is on can do that.

    What is journaled is the image, since the kernel chooses the device: every device whose image
    it is gets detached.

    Raises:
        UnsupportedError: this kernel has no loop devices, or losetup is not installed.
        CommandError: losetup failed.
    """
    require_loop_devices()
    with journal.owning(Resource("loop", str(image))):
        # Cached a second time below, a write would be done before the disk has it.
        attach = ["losetup", "--find", "--show", "--direct-io=on", str(image)]
        yield LoopDevice(Path(commands.run(attach).stdout.strip()), image)


def require_loop_devices() -> None:
    """Raise UnsupportedError where there are none, or nothing to attach them with."""
    if not Path("/dev/loop-control").exists():
        raise UnsupportedError(
            "this machine has no loop devices (/dev/loop-control)",
            "modprobe loop, or use the guest lab: --lab guest",
        )
    commands.require("losetup")
