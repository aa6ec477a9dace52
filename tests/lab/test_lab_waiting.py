import pytest

from cnbench.core.errors import CnbenchError
from cnbench.lab import waiting


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only while somebody sleeps."""

    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

        def sleep(self, seconds):
            self.now += seconds

    made = Clock()
    monkeypatch.setattr(waiting, "time", made)
    return made


def test_what_has_happened_already_is_not_waited_for(clock):
    waiting.wait_until(lambda: True, "it did not happen", within=0, meanwhile=pytest.fail)
    assert clock.now == 0


def test_it_ends_when_it_happens(clock):
    waiting.wait_until(lambda: clock.now >= 0.5, "it did not happen", within=9, every=0.25)
    assert clock.now == 0.5


def test_it_gives_up_and_says_after_how_long(clock):
    with pytest.raises(CnbenchError, match="it did not happen after 3 s"):
        waiting.wait_until(lambda: False, "it did not happen", within=3, every=1)


def test_there_may_be_nothing_left_to_wait_for(clock):
    def ended():
        raise CnbenchError("the process has ended")

    with pytest.raises(CnbenchError, match="has ended"):
        waiting.wait_until(lambda: False, "it did not happen", within=3, meanwhile=ended)
