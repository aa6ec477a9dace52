"""Two real guests at once: counted like one alone, and gone with the run that is stopped."""

import os
import signal
import time
from pathlib import Path

import pytest

from cnbench.lab.guest import start
from cnbench.store import run_file

KERNEL = "trixie"
PATIENCE = 300.0
# Two groups of one case and its A′ each.
COUNTED = (
    *("run", "service-routing", "-p", "mode=iptables", "-p", "measure=connect"),
    *("-p", "services=1,2", "-p", "position=first", "-p", "probes=20"),
    *("--clock", "instructions", "--kernel", KERNEL),
)
WITHIN = 0.0002  # what one guest repeats itself by; see docs/architecture.md

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not start.is_built(KERNEL), reason=f"no guest with {KERNEL} is built"),
]


def guests_of(folder):
    """The QEMU processes of runs whose results go to ``folder``."""
    mark = f"CNBENCH_RESULTS={folder}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            name = (process / "comm").read_text()
        except OSError:
            continue
        if mark in environment and name.startswith("qemu"):
            found.append(int(process.name))
    return found


def test_two_guests_at_once_count_what_they_do_one_after_the_other(run_process, results):
    medians = []
    for at_once in (2, 1):
        path = results / f"{at_once}.json"
        done = run_process(*COUNTED, "--jobs", str(at_once), "-o", path)
        assert done.code == 0, done.err
        medians.append({case.case.key: median_of(case) for case in run_file.read(path).cases})
    two, one = medians
    assert len(one) == 2
    assert two == pytest.approx(one, rel=WITHIN)


def median_of(case):
    counts = sorted(sample.values["connect"] for sample in case.samples)
    return counts[len(counts) // 2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_none_of_its_guests(spawn, results, number):
    process = spawn(*COUNTED, "--jobs", "2")
    give_up = time.monotonic() + PATIENCE
    while len(guests_of(results)) < 2:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < give_up
        time.sleep(0.02)
    # A terminal sends Ctrl-C to the whole process group; a killer has one process.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    _, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err
    assert process.returncode == (-number if number == signal.SIGKILL else 130)
    while guests_of(results):
        assert number == signal.SIGKILL  # the others have waited for that
        assert time.monotonic() < give_up
        time.sleep(0.02)
