import contextlib
import itertools

from hypothesis import given
from hypothesis import strategies as st

from cnbench.lab.long_work import LongWork


def told_of(steps, total):
    work, told = LongWork(), []
    with work.told_to(lambda *it: told.append(it)):
        for done in steps:
            work.advanced("steps", done, total)
    return told


@given(st.integers(LongWork.LEAST, 10**6), st.integers(1, 10**5))
def test_long_work_is_told_often_enough_and_not_too_often(total, step):
    told = told_of([*range(step, total, step), total], total)
    assert told[-1] == ("steps", total, total)
    assert len(told) <= 51
    shares = [0, *(done / total for _, done, _ in told)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(shares)]
    assert max(gaps) <= max(0.04, 2 * step / total)


def test_short_work_says_nothing():
    assert told_of(range(LongWork.LEAST), LongWork.LEAST - 1) == []


def test_the_next_piece_of_work_begins_anew():
    work, told = LongWork(), []
    with work.told_to(lambda *it: told.append(it)):
        for what in ("steps", "steps", "leaps"):
            work.advanced(what, 10_000, 10_000)
    assert [what for what, _, _ in told] == ["steps", "leaps"]


def test_nobody_is_told_outside():
    work, told = LongWork(), []
    with contextlib.suppress(KeyError), work.told_to(lambda *it: told.append(it)):
        raise KeyError
    work.advanced("steps", 10_000, 10_000)
    assert told == []
