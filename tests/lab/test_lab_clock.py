import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from cnbench.core.errors import CommandError
from cnbench.lab import idler
from cnbench.lab.clock import Clock
from cnbench.lab.guest.agent import IDLER
from cnbench.lab.idler import Idler, open_idler


class PretendedIdler(Idler):
    def __init__(self, ran: list[int]) -> None:
        self.runs = False
        self._ran = iter(ran)

    @contextlib.contextmanager
    def running(self, runs: bool = True) -> Iterator[None]:
        before, self.runs = self.runs, runs
        yield
        self.runs = before

    def ran(self) -> int:
        return next(self._ran)


def test_waiting_counts_on_the_wall_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0, 1000, 5000, 6000])
    monkeypatch.setattr(Clock, "ticks", staticmethod(lambda: next(now)))
    beside = PretendedIdler([50, 750])
    assert Clock("wall").timed(lambda: "returned") == (1000, "returned")
    assert Clock("instructions", beside).timed(lambda: beside.runs) == (300, True)
    assert not beside.runs


def test_nothing_runs_beside_samples_but_what_is_left_out_again() -> None:
    beside = PretendedIdler([0, 0])
    beside.runs = True
    clock = Clock("instructions", beside)
    with clock.undisturbed():
        assert not beside.runs
        assert clock.timed(lambda: beside.runs)[1]
        assert not beside.runs
    assert beside.runs
    with Clock("wall").undisturbed():
        pass


@pytest.mark.real
def test_a_guests_own_idler_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as guests:
        monkeypatch.setenv(IDLER, str(guests.pid))
        with open_idler() as beside:
            with beside.running(False):
                os.waitid(os.P_PID, guests.pid, os.WSTOPPED)
            os.waitid(os.P_PID, guests.pid, os.WCONTINUED)
        guests.kill()


@pytest.mark.real
def test_an_idler_runs_where_it_is_told_to_alone() -> None:
    with open_idler() as beside:
        with beside.running():
            while beside.ran() < 10_000_000:
                time.sleep(0.001)
        # On a busy machine it is long before it runs again, and only then does it stop.
        os.waitid(os.P_PID, beside.pid, os.WSTOPPED)
        stood_at = beside.ran()
        time.sleep(0.05)
        assert beside.ran() == stood_at


@pytest.mark.real
def test_an_idler_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idler, "python_script", lambda *_: ["sh", "-c", "echo no >&2; exit 1"])
    with pytest.raises(CommandError, match="exited with 1: no"), open_idler():
        pass
