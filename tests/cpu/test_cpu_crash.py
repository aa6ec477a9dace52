"""Neither a cgroup nor a thread is left after a crash in the middle."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnbench.lab.cgroups.cpu import find_controllers
from cnbench.lab.journal import collect

pytestmark = pytest.mark.real

VICTIM = Path(__file__).with_name("crash_victim.py")
PATIENCE = 20.0


def folders_of(journal: Path) -> list[Path]:
    """The cgroups that the journal names, and that are there."""
    lines = [line for file in journal.iterdir() for line in file.read_text().splitlines()]
    return [
        group
        for controller in find_controllers().values()
        for root in controller.folders()
        for group in root.rglob("group-*")
        if any(str(group) in line for line in lines)
    ]


@pytest.mark.parametrize("when", ["while it is set up", "while it samples"])
def test_gc_removes_every_group_and_thread_of_a_killed_run(tmp_path, when):
    if not find_controllers() or os.geteuid() != 0:
        pytest.skip("there is no cgroup cpu controller here, or no root to use it")
    (tmp_path / "temporary").mkdir()
    victim = subprocess.Popen(
        [sys.executable, str(VICTIM), next(iter(find_controllers())), str(tmp_path / "journal")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
    )
    assert victim.stdout is not None
    with victim.stdout:
        assert victim.stdout.readline() == "started\n"
        if when == "while it samples":
            assert victim.stdout.readline() == "sampled\n"
        # A moment of no meaning, so that over many runs of the test all moments are tried.
        time.sleep(random.uniform(0, 0.05))
        victim.kill()
        victim.wait()
    groups = folders_of(tmp_path / "journal")
    assert groups or when == "while it is set up"
    give_up = time.monotonic() + PATIENCE
    while list((tmp_path / "journal").iterdir()) and time.monotonic() < give_up:
        _removed, problems = collect(tmp_path / "journal")
        assert problems == []
        time.sleep(0.05)
    assert [group for group in groups if group.exists()] == []
    assert list((tmp_path / "journal").iterdir()) == []
    assert list((tmp_path / "temporary").iterdir()) == []
