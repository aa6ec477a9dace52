"""Turns on a machine: what is timed has it to itself."""

import fcntl
import os
import subprocess
import sys

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.lab.machine_turn import machine_turn
from cnbench.lab.waiting import wait_until


def may_begin(folder, kind, what="turn"):
    with (folder / what).open("r+") as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_what_is_timed_waits_for_all_and_all_wait_for_it(tmp_path):
    with machine_turn(alone=True, folder=tmp_path):
        assert not may_begin(tmp_path, fcntl.LOCK_SH)
        assert not may_begin(tmp_path, fcntl.LOCK_EX)
    with machine_turn(alone=False, folder=tmp_path):
        assert may_begin(tmp_path, fcntl.LOCK_SH)
        assert not may_begin(tmp_path, fcntl.LOCK_EX)
    assert may_begin(tmp_path, fcntl.LOCK_EX)


def test_who_counts_does_not_go_before_one_that_waits_to_be_timed(tmp_path):
    # Not a forked one: what that inherits of the turn would be held against itself.
    timed = (
        "import pathlib, sys; from cnbench.lab.machine_turn import machine_turn\n"
        "with machine_turn(alone=True, folder=pathlib.Path(sys.argv[1])): pass"
    )
    with machine_turn(alone=False, folder=tmp_path):
        waiting = subprocess.Popen([sys.executable, "-c", timed, str(tmp_path)])
        wait_until(
            lambda: not may_begin(tmp_path, fcntl.LOCK_SH, "gate"), "nobody waits", within=60
        )
    assert waiting.wait(60) == 0
    assert may_begin(tmp_path, fcntl.LOCK_SH, "gate")


def test_a_turn_ends_with_its_process(tmp_path):
    child = os.fork()
    if child == 0:
        with machine_turn(alone=True, folder=tmp_path):
            os._exit(0)
    os.waitpid(child, 0)
    assert may_begin(tmp_path, fcntl.LOCK_EX)


def test_nothing_follows_a_link_that_another_has_planted(tmp_path):
    (tmp_path / "turn").symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises(UnsupportedError, match="turns on this machine"),
        machine_turn(alone=True, folder=tmp_path),
    ):
        pass
    assert not (tmp_path / "elsewhere").exists()
