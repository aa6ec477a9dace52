import contextlib
import itertools
import queue
import threading

from hypothesis import given
from hypothesis import strategies as st

from cnbench.lab.long_work import LongWork


def told_of(steps, total):
    work, told = LongWork(), []
    with work.told_to(told.append):
        for done in steps:
            work.advanced("steps", done, total)
    return [int(text.split()[0].replace(",", "")) for text in told]


@given(st.integers(LongWork.LEAST, 10**6), st.integers(1, 10**5))
def test_long_work_is_told_often_enough_and_not_too_often(total, step):
    told = told_of([*range(step, total, step), total], total)
    assert told[-1] == total
    assert len(told) <= 51
    shares = [0, *(done / total for done in told)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(shares)]
    assert max(gaps) <= max(0.04, 2 * step / total)


def test_short_work_says_nothing():
    assert told_of(range(LongWork.LEAST), LongWork.LEAST - 1) == []


def test_the_next_piece_of_work_begins_anew():
    work, told = LongWork(), []
    with work.told_to(told.append):
        for what in ("steps", "steps", "leaps"):
            work.advanced(what, 10_000, 10_000)
    assert told == ["10,000 of 10,000 steps", "10,000 of 10,000 leaps"]


def test_what_cannot_tell_itself_is_told_as_long_as_it_goes_on(monkeypatch):
    monkeypatch.setattr(LongWork, "_SECONDS_UNDERWAY", 0.001)
    work, told = LongWork(), queue.SimpleQueue()
    before = threading.active_count()
    with work.told_to(told.put), work.underway("a tool is at work", LongWork.LEAST):
        assert [told.get() for _ in range(3)] == ["a tool is at work"] * 3
    told_until_the_end = told.qsize()
    assert threading.active_count() == before
    assert told.qsize() == told_until_the_end


def test_what_is_short_has_no_thread():
    work, before = LongWork(), threading.active_count()
    with work.told_to(lambda what: None), work.underway("a tool", LongWork.LEAST - 1):
        assert threading.active_count() == before


def test_nobody_is_told_outside():
    work, told = LongWork(), []
    with contextlib.suppress(KeyError), work.told_to(told.append):
        raise KeyError
    work.advanced("steps", 10_000, 10_000)
    assert told == []
