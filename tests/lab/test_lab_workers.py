"""Copies of this process that work beside it: what they tell, and that none outlives it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnbench.core.errors import CommandError, UnsupportedError
from cnbench.lab.workers import Killed, first_to_tell, worker

PATIENCE = 60.0


def runs(pid):
    return Path(f"/proc/{pid}/exe").exists()


def wait_until(come_true):
    give_up = time.monotonic() + PATIENCE
    while not come_true():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def sleep_for_ever(tell):
    tell(os.getpid())
    time.sleep(1000)


def received(one):
    while (what := one.receive()) is not None:
        yield what


def test_a_worker_tells_what_it_finds_from_its_own_processor():
    processor = max(os.sched_getaffinity(0))

    def work(tell):
        tell(os.getpid())
        tell(os.sched_getaffinity(0))

    with worker(work, processor) as one:
        pid, processors = received(one)
    assert pid != os.getpid()
    assert processors == {processor}
    assert not runs(pid)


def test_workers_work_at_once_and_the_first_to_tell_is_heard_first():
    wait, go = os.pipe()

    def slow(tell):
        os.read(wait, 1)  # until the other has been heard
        tell("slow")

    with worker(slow, 0) as one, worker(lambda tell: tell("fast"), 0) as other:
        assert first_to_tell([one, other]) == [other]
        assert other.receive() == "fast"
        os.write(go, b"!")
        assert one.receive() == "slow"


@pytest.mark.parametrize(
    "error",
    [
        UnsupportedError("no QEMU", "install it"),
        CommandError(["nft", "-f"], 3, "no such table"),
        ValueError("a fault"),
    ],
)
def test_what_its_work_ends_with_is_raised_here(error):
    def work(_):
        raise error

    with worker(work, 0) as one, pytest.raises(type(error)) as raised:
        one.receive()
    assert str(raised.value) == str(error)
    assert getattr(raised.value, "remedy", "") == getattr(error, "remedy", "")
    if isinstance(error, ValueError):
        assert "in work" in raised.value.__notes__[0]  # where it was raised


def test_one_that_somebody_killed_is_told_apart_from_one_that_has_done():
    with worker(sleep_for_ever, 0) as one:
        os.kill(one.receive(), signal.SIGKILL)
        with pytest.raises(Killed, match="exit code -9"):
            one.receive()


def test_one_that_is_left_takes_down_what_it_has(tmp_path):
    left = tmp_path / "left"

    def work(tell):
        left.touch()
        try:
            sleep_for_ever(tell)
        finally:
            left.unlink()

    with worker(work, 0) as one:
        pid = one.receive()
        assert left.exists()
    assert not left.exists()
    assert not runs(pid)


def test_a_terminals_ctrl_c_is_for_the_parent_alone():
    with worker(lambda tell: tell(os.getpgid(0)), 0) as one:
        assert one.receive() != os.getpgid(0)


def test_a_worker_dies_with_its_parent():
    script = (
        "import os, time\n"
        "from cnbench.lab.workers import worker\n"
        "def work(tell):\n"
        "    tell(os.getpid())\n"
        "    time.sleep(1000)\n"
        "with worker(work, 0) as one:\n"
        "    print(one.receive(), flush=True)\n"
        "    time.sleep(1000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        assert runs(pid)
        parent.kill()
    wait_until(lambda: not runs(pid))
