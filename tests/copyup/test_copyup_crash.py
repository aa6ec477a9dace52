"""Nothing is left mounted, attached or on the disk after a crash in the middle."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.lab import commands
from cnbench.lab.journal import collect
from cnbench.lab.storage.filesystems import require_filesystem

pytestmark = pytest.mark.real

VICTIM = Path(__file__).with_name("crash_victim.py")


def left_of(folder: Path) -> list[str]:
    """Every mount, loop device, process and file that has ``folder`` in it."""
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(folder) in line]
    loops = [
        path.read_text()
        for path in Path("/sys/block").glob("loop*/loop/backing_file")
        if str(folder) in path.read_text()
    ]
    processes = [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if str(folder).encode() in path.read_bytes()
    ]
    return [*mounts, *loops, *processes, *map(str, folder.iterdir())]


def start(folder: Path, filesystem: str, driver: str) -> subprocess.Popen[str]:
    (folder / "temporary").mkdir()
    return subprocess.Popen(
        [sys.executable, str(VICTIM), filesystem, driver, str(folder / "journal")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder / "temporary")},
    )


@pytest.mark.parametrize("filesystem", ["ext4", "xfs", "btrfs", "tmpfs"])
@pytest.mark.parametrize("driver", ["overlay", "fuse-overlayfs"])
@pytest.mark.parametrize("when", ["while it is set up", "while it samples"])
def test_gc_removes_everything_a_killed_run_left(tmp_path, filesystem, driver, when):
    try:
        require_filesystem(filesystem)
        if driver != "overlay":
            commands.require(driver)
    except UnsupportedError as error:
        pytest.skip(f"{error}; {error.remedy}")
    victim = start(tmp_path, filesystem, driver)
    assert victim.stdout is not None
    with victim.stdout:
        assert victim.stdout.readline() == "started\n"
        if when == "while it samples":
            for _ in range(3):
                assert victim.stdout.readline() == "sampled\n"
        # A moment of no meaning, so that over many runs of the test all moments are tried.
        time.sleep(random.uniform(0, 0.05))
        victim.kill()
        victim.wait()
    collect_all(tmp_path)
    assert left_of(tmp_path / "temporary") == []
    assert list((tmp_path / "journal").iterdir()) == []


def collect_all(folder: Path) -> None:
    """Collect once the run's children are dead too, which the kernel takes a moment for.

    One that was being started when the run was killed holds the journal's lock until then.
    """
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        _removed, problems = collect(folder / "journal")
        assert problems == []
        if not list((folder / "journal").iterdir()) and not left_of(folder / "temporary"):
            return
        time.sleep(0.05)
