"""Turns on a machine: what is timed has it to itself."""

import fcntl
import os

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.lab.machine_turn import machine_turn


def may_begin(folder, kind):
    with (folder / "turn").open("r+") as file:
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
