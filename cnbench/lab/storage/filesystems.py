"""File systems made for the run: on loop devices over sparse files, and in memory."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.core.units import format_quantity
from cnbench.lab import commands
from cnbench.lab.journal import Journal
from cnbench.lab.processes import DIE_WITH_PARENT
from cnbench.lab.storage import mounts
from cnbench.lab.storage.loop import LoopDevice, open_loop_device, require_loop_devices

MEMORY = "tmpfs"
_MIB = 2**20

# ext4's lazy initialisation would go on writing in the background of the measurement.
_MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"],
    "xfs": ["mkfs.xfs", "-q", "-f", "-m", "reflink=1"],
    "btrfs": ["mkfs.btrfs", "-q", "-f"],
}
# What is there beside the files: journals, and XFS takes no device below 300 MiB (xfsprogs 6).
_LEAST_DISK = 384 * _MIB
_LEAST_MEMORY = 16 * _MIB


@dataclass
class Filesystem:
    """A mounted file system. Use ``open_filesystem``.

    Attributes:
        kind: ``ext4``, ``xfs``, ``btrfs`` or ``tmpfs``.
        path: where it is mounted.
        device: what it is on; None in memory.
    """

    kind: str
    path: Path
    device: LoopDevice | None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def fresh_folder(self) -> Path:
        """A new empty folder in it."""
        folder = self.path / str(next(self._numbers))
        folder.mkdir()
        return folder

    def flush(self) -> None:
        """Write everything that waits to the device."""
        mounts.flush(self.path)

    def forget_caches(self) -> None:
        """Mount it anew: no name, inode or page of it is in memory afterwards.

        (/proc/sys/vm/drop_caches would do that to the whole machine.) Nothing in it may be open.
        """
        if self.device is None:
            raise UnsupportedError(
                "tmpfs is memory: it is never cold", "leave cache=cold to the others"
            )
        mounts.unmount(self.path)
        _forget_pages(self.device.image)
        mounts.mount(str(self.device.path), self.path, self.kind)

    def written(self) -> int | None:
        """Bytes that were written to its device so far; None in memory."""
        return self.device.written() if self.device else None


def require_mountable(kind: str) -> None:
    """Raise UnsupportedError where this kernel, or this user, cannot mount ``kind``."""
    if os.geteuid() != 0:
        raise UnsupportedError(f"mounting {kind} needs root", "run as root, or use --lab guest")
    if kind not in mounts.known_filesystems() and not _is_module(kind):
        raise UnsupportedError(f"this kernel has no {kind}", "use the guest lab: --lab guest")


def require_filesystem(kind: str) -> None:
    """Raise UnsupportedError where a file system of ``kind`` cannot be made and mounted here."""
    require_mountable(kind)
    if kind != MEMORY:
        require_loop_devices()
        commands.require(_MAKE[kind][0])


@contextlib.contextmanager
def open_filesystem(
    journal: Journal, folder: Path, name: str, kind: str, content: int
) -> Iterator[Filesystem]:
    """A new file system with room for ``content`` bytes of files, mounted on ``folder/name``.

    Raises:
        UnsupportedError: something is missing here: room, tools, the kernel's support, root.
        CnbenchError: it could not be made or mounted.
    """
    require_filesystem(kind)
    target = folder / name
    if kind == MEMORY:
        size = content + _LEAST_MEMORY
        require_memory(size)
        target.mkdir()
        with mounts.open_mount(journal, MEMORY, target, MEMORY, f"size={size}"):
            yield Filesystem(kind, target, None)
        return
    size = content + _LEAST_DISK
    require_disk(folder, size)
    target.mkdir()
    image = folder / f"{name}.img"
    image.touch()
    os.truncate(image, size)
    try:
        commands.run([*DIE_WITH_PARENT, *_MAKE[kind], str(image)])
        with (
            open_loop_device(journal, image) as device,
            mounts.open_mount(journal, str(device.path), target, kind),
        ):
            yield Filesystem(kind, target, device)
    finally:
        image.unlink()


def require_disk(folder: Path, needed: int) -> None:
    """Raise UnsupportedError where ``needed`` bytes do not fit beside the images in ``folder``.

    Sparse images grow up to their size, so what they have not taken yet is not free.
    """
    files = [image.stat() for image in folder.glob("*.img")]
    promised = sum(max(0, file.st_size - file.st_blocks * 512) for file in files)
    free = shutil.disk_usage(folder).free - promised
    if free < needed:
        raise UnsupportedError(
            f"a file system of {format_quantity(needed, 'B')} is needed in {folder.parent}, "
            f"where {format_quantity(max(0, free), 'B')} are free",
            "free some space, set TMPDIR to a folder with more, or measure smaller sizes",
        )


def require_memory(needed: int) -> None:
    """Raise UnsupportedError where ``needed`` bytes are more than the memory that is available."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    available = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    if available * 1024 < needed:
        raise UnsupportedError(
            f"a tmpfs of {format_quantity(needed, 'B')} is needed, "
            f"but {format_quantity(available * 1024, 'B')} of memory are available",
            "use a machine with more memory, or measure smaller sizes",
        )


def _forget_pages(image: Path) -> None:
    descriptor = os.open(image, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _is_module(name: str) -> bool:
    """Whether the kernel loads ``name`` by itself when it is mounted."""
    release = os.uname().release
    index = Path("/lib/modules", release, "modules.dep")
    return index.exists() and f"/{name}.ko" in index.read_text()
