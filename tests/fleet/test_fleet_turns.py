"""Turns on a machine: what is timed has it to itself."""

import contextlib
import fcntl
import os
import subprocess
import sys

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.lab.machine_turn import machine_turn, own_processor
from cnbench.lab.waiting import wait_until

HAVING_ONE = (
    "import pathlib, sys; from cnbench.lab.machine_turn import own_processor\n"
    "with own_processor(pathlib.Path(sys.argv[1])): pass"
)


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


def test_who_counts_has_a_processor_that_no_other_has(tmp_path):
    allowed = os.sched_getaffinity(0)
    with contextlib.ExitStack() as held:
        for _ in allowed:
            # Each as another process would: what one has kept to itself, it may have no more of.
            number = held.enter_context(own_processor(tmp_path))
            assert os.sched_getaffinity(0) == {number}
            os.sched_setaffinity(0, allowed)
        third = subprocess.Popen([sys.executable, "-c", HAVING_ONE, str(tmp_path)])
        (queue,) = tmp_path.glob("processors-*")
        wait_until(
            lambda: not may_begin(tmp_path, fcntl.LOCK_SH, queue.name), "nobody waits", within=60
        )
        assert third.poll() is None
    assert third.wait(60) == 0
    assert os.sched_getaffinity(0) == allowed


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is but one processor")
def test_who_waits_for_the_one_that_it_may_have_keeps_none_from_another(tmp_path):
    here = {*os.sched_getaffinity(0)}

    def having_one_of(allowed):
        return subprocess.Popen(["taskset", "-c", str(allowed), sys.executable, "-c", HAVING_ONE,
                                 str(tmp_path)])  # fmt: skip

    with own_processor(tmp_path) as busy:
        waiting = having_one_of(busy)
        wait_until(
            lambda: any(
                not may_begin(tmp_path, fcntl.LOCK_SH, queue.name)
                for queue in tmp_path.glob("processors*")
            ),
            "nobody waits",
            within=60,
        )
        try:
            assert having_one_of(min(here - {busy})).wait(20) == 0
        finally:
            waiting.kill()
            waiting.wait()


def test_a_processor_is_free_when_who_had_it_was_killed(tmp_path):
    staying = HAVING_ONE.replace("pass", "print(flush=True); sys.stdin.read()")
    having = [
        subprocess.Popen([sys.executable, "-c", staying, str(tmp_path)],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in os.sched_getaffinity(0)
    ]  # fmt: skip
    for process in having:
        process.stdout.readline()
    having[0].kill()
    with own_processor(tmp_path):
        pass
    for process in having:
        process.kill()
        process.communicate()


def test_nothing_follows_a_link_that_another_has_planted(tmp_path):
    (tmp_path / "turn").symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises(UnsupportedError, match="turns on this machine"),
        machine_turn(alone=True, folder=tmp_path),
    ):
        pass
    assert not (tmp_path / "elsewhere").exists()
