"""Neither a cgroup, a mount, a disk nor a process is left after a kill at any moment."""

import os
import random
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from cnbench.experiments.registry import names
from cnbench.lab.journal import collect

pytestmark = pytest.mark.real

VICTIM = Path(__file__).with_name("crash_victim.py")
PATIENCE = 30.0
CASES = [
    (name, version) for name in names() if name.startswith("cgroup-") for version in ("v1", "v2")
]

OTHERS = [(name, "") for name in ("namespaces", "container-start", "cni", "pleg")]


def alive_with(mark):
    """Processes whose environment has ``mark``."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append((folder.name, (folder / "cmdline").read_bytes()))
        except OSError:
            continue
    return found


def traces(journal_names):
    """Mounts, groups and disks that carry the name of one of these runs."""
    texts = [Path("/proc/mounts").read_text().splitlines()]
    texts += [
        [folder for folder, _, _ in os.walk("/sys/fs/cgroup")],
        [path.read_text() for path in Path("/sys/block").glob("loop*/loop/backing_file")],
    ]
    return [line for text in texts for line in text if any(name in line for name in journal_names)]


@pytest.mark.parametrize(
    ("name", "version"), [*CASES, ("namespaces", ""), ("container-start", ""), ("cni", "")]
)
def test_gc_removes_all_that_a_killed_run_made(tmp_path, name, version):
    if os.geteuid() != 0:
        pytest.skip("cgroups need root")
    journal, mark = tmp_path / "journal", uuid.uuid4().hex
    (tmp_path / "temporary").mkdir()
    victim = subprocess.Popen(
        [sys.executable, str(VICTIM), name, version, str(journal)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary"), "CNBENCH_TEST": mark},
    )
    with victim:
        if victim.stdout.readline() != "started\n":
            pytest.skip(victim.stderr.read().strip().splitlines()[-1])
        if random.random() < 0.7:
            told = victim.stdout.readline()
            assert told == "sampled\n", victim.stderr.read()
        # A moment of no meaning, so that over many runs of the test all moments are tried.
        time.sleep(random.uniform(0, 0.3))
        victim.kill()
    runs = [path.stem for path in journal.iterdir()]
    assert runs
    give_up = time.monotonic() + PATIENCE
    while list(journal.iterdir()) and time.monotonic() < give_up:
        _removed, problems = collect(journal)
        assert problems == []
        time.sleep(0.05)
    while alive_with(mark) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert (list(journal.iterdir()), alive_with(mark), traces(runs)) == ([], [], [])
    assert list((tmp_path / "temporary").iterdir()) == []
