"""Loop devices: a file that the kernel serves as a disk of the run's own."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.lab.journal import Journal
from cnbench.lab.resources import Resource

_CONTROL = Path("/dev/loop-control")
# From linux/loop.h.
_LOOP_SET_FD = 0x4C00
_LOOP_SET_DIRECT_IO = 0x4C08
_LOOP_CTL_GET_FREE = 0x4C82

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

    @property
    def number(self) -> str:
        """Its major and minor number, ``7:3``."""
        return (self._folder / "dev").read_text().strip()

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
    it is gets detached. (losetup would do all this, but it outlives a run that is killed, and may
    attach the image after the run has been collected.)

    Raises:
        UnsupportedError: this kernel has no loop devices.
        CnbenchError: the image could not be attached.
    """
    require_loop_devices()
    with journal.owning(Resource("loop", str(image))):
        try:
            device = _attach(image)
        except OSError as error:
            raise CnbenchError(f"{image} cannot be made a loop device: {error.strerror}") from error
        yield LoopDevice(device, image)


def require_loop_devices() -> None:
    """Raise UnsupportedError where there are none."""
    if not _CONTROL.exists():
        raise UnsupportedError(
            f"this machine has no loop devices ({_CONTROL})",
            "modprobe loop, or use the guest lab: --lab guest",
        )


def _attach(image: Path) -> Path:
    with contextlib.ExitStack() as opened:
        control = _opened(opened, _CONTROL)
        backing = _opened(opened, image)
        while True:
            device = Path(f"/dev/loop{fcntl.ioctl(control, _LOOP_CTL_GET_FREE)}")
            loop = _opened(opened, device)
            try:
                fcntl.ioctl(loop, _LOOP_SET_FD, backing)
            except OSError as error:
                if error.errno != errno.EBUSY:  # another took it meanwhile
                    raise
                continue
            # Cached a second time below, a write would be done before the disk has it. Where the
            # image's file system cannot (EINVAL), the proof says that it is cached.
            with contextlib.suppress(OSError):
                fcntl.ioctl(loop, _LOOP_SET_DIRECT_IO, 1)
            return device


def _opened(until: contextlib.ExitStack, path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    until.callback(os.close, descriptor)
    return descriptor
