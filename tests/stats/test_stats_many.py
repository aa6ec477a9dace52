"""Holm's procedure: by hand, and never more generous than one comparison at a time."""

from hypothesis import given
from hypothesis import strategies as st

from cnbench.stats.many import LEVEL, holm


def test_by_hand():
    # 0.01 < 0.05/4, 0.013 < 0.05/3, 0.03 > 0.05/2: the last stops all after it.
    assert holm({"a": 0.01, "b": 0.013, "c": 0.03, "d": 0.04}) == {"a", "b"}
    assert holm({"a": 0.05}) == {"a"}
    assert holm({}) == set()


@given(st.lists(st.floats(0, 1), max_size=30))
def test_between_bonferroni_and_each_by_itself(p_values):
    named = dict(enumerate(p_values))
    standing = holm(named)
    assert {n for n, p in named.items() if p <= LEVEL / max(len(named), 1)} <= standing
    assert standing <= {n for n, p in named.items() if p <= LEVEL}
