"""What is known beforehand of limits to writing."""

from __future__ import annotations

import contextlib
import mmap
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from answering import AbsentError, hold
from groups import group_of, in_group


@contextlib.contextmanager
def disk(size: int) -> Iterator[Path]:
    """A loop device over a new file."""
    with tempfile.NamedTemporaryFile() as image:
        os.posix_fallocate(image.fileno(), 0, size)
        said = subprocess.run(
            ["losetup", "--find", "--show", "--direct-io=on", image.name],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if said.returncode:
            raise AbsentError(f"no loop device: {said.stderr.strip()}")
        device = Path(said.stdout.strip())
        try:
            yield device
        finally:
            subprocess.run(["losetup", "--detach", str(device)], check=True)


def io() -> None:
    """2 MiB at 1 MiB/s take two seconds, and the first MiB waits too; v1 lets buffers through."""
    with group_of("blkio") as (version, folder), disk(2 * 2**20) as device:
        number = Path("/sys/block", device.name, "dev").read_text().strip()

        def limit_to(rate: int) -> None:
            if version == "v1":
                (folder / "blkio.throttle.write_bps_device").write_text(f"{number} {rate}")
            else:
                (folder / "io.max").write_text(f"{number} wbps={rate}")

        limit_to(2**20)

        def write(flags: int, size: int) -> float:
            def both() -> int:
                descriptor = os.open(device, os.O_WRONLY | flags)
                buffer = mmap.mmap(-1, size)
                for at in range(0, 2 * 2**20, size):
                    os.pwrite(descriptor, buffer, at)
                return 0

            # Whoever closes a disk last writes what is cached of it: that is not to be the child.
            kept = os.open(device, os.O_WRONLY)
            try:
                began = time.monotonic()
                os.waitpid(in_group(folder, both), 0)
                os.fsync(kept)
                return time.monotonic() - began
            finally:
                os.close(kept)

        for size in (2**16, 2**20):
            took = write(os.O_DIRECT, size)
            hold(f"seconds for 2 MiB at 1 MiB/s, {size} bytes each", "2.0 within 2 %",
                 f"{took:.3f}", abs(took / 2 - 1) < 0.02)  # fmt: skip
        if version == "v1":
            took = write(0, 2**16)
            hold("seconds for them through the page cache", "under 0.5", f"{took:.3f}", took < 0.5)
