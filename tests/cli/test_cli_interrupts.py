"""Ctrl-C, SIGTERM and SIGKILL of a real process, and going on from there."""

import json
import os
import signal
import time

import pytest

from cnbench.store import run_file

PATIENCE = 300.0
# Three groups of two cases; a group takes about a second on a quiet machine.
SLOW = ("run", "made-up", "-p", "pace=40ms", "--lab", "host")


def wait_for_cases(folder, count, process):
    """The run file, once it holds ``count`` cases."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        assert process.poll() is None, process.stderr.read()
        for path in folder.glob("*.jsonl"):
            if len(run_file.read(path).cases) >= count:
                return path
        time.sleep(0.02)
    raise AssertionError(f"there were no {count} cases in {PATIENCE:.0f} s")


@pytest.mark.parametrize(
    ("number", "to_all"), [(signal.SIGINT, True), (signal.SIGTERM, False)], ids=["ctrl-c", "term"]
)
def test_a_stopped_run_is_kept_and_goes_on_with_what_is_missing(
    spawn, run_process, results, number, to_all
):
    process = spawn(*SLOW)
    path = wait_for_cases(results, 2, process)
    # A terminal sends Ctrl-C to the whole process group, a CI system SIGTERM to the process.
    (os.killpg if to_all else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert f"What was measured is in {path}; go on with: cnbench run --resume {path.stem}" in err

    kept = run_file.read(path)
    whole = [case for case in kept.cases if case.stopped != "interrupted"]
    assert len(whole) >= 2
    assert all(case.status == "ok" and case.proof.holds for case in whole)
    assert kept.finished == ""

    groups_left = 3 - len(whole) // 2
    done = run_process("run", "--resume", path.stem, "--json")
    assert done.code == 0
    assert {row["status"] for row in json.loads(done.out)["rows"]} == {"ok"}
    assert f"/{groups_left}] made-up" in done.err
    resumed = run_file.read(path)
    assert len(resumed.cases) == 6
    assert [case for case in resumed.cases if case in whole] == whole
    assert resumed.finished
    assert len({case.group for case in resumed.cases}) == 3


def test_a_second_ctrl_c_cuts_nothing_short(spawn, results):
    process = spawn(*SLOW)
    path = wait_for_cases(results, 2, process)
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert run_file.read(path)


def test_a_killed_run_keeps_every_case_that_had_ended(spawn, run_process, results):
    process = spawn(*SLOW)
    path = wait_for_cases(results, 2, process)
    process.kill()
    process.wait()
    whole = run_file.read(path).cases
    done = run_process("run", "--resume", "latest", "--json")
    assert done.code == 0
    assert "Removed 1 thing that a killed run had left behind." in done.err
    resumed = run_file.read(path)
    assert [case for case in resumed.cases if case in whole] == whole
    assert len(resumed.cases) == 6
