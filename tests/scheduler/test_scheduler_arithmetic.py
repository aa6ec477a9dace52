"""The tricks that make scoring fast give exactly what slow arithmetic gives."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cnbench.scheduler.columns.exact import floor_quotient
from cnbench.scheduler.columns.node_labels import LabelColumn
from cnbench.scheduler.columns.tally import NodeTally
from cnbench.scheduler.loops import scaled_to_top
from cnbench.scheduler.model.quantities import LARGEST_AMOUNT

divisors = st.integers(1, LARGEST_AMOUNT)


@settings(max_examples=1000)
@given(divisor=divisors, quotient=st.integers(0, 100), offset=st.integers(-2, 2))
def test_float_division_rounds_down_to_the_integer_quotient(divisor, quotient, offset):
    # Around exact multiples, where a wrongly rounded quotient would show.
    dividend = min(max(quotient * divisor + offset, 0), 100 * divisor)
    exact = floor_quotient(np.array([float(dividend)]), np.array([float(divisor)]))
    assert int(exact[0]) == dividend // divisor


@settings(max_examples=1000)
@given(divisor=divisors, data=st.data())
def test_float_division_of_any_share_of_a_capacity(divisor, data):
    left = data.draw(st.integers(0, divisor))
    exact = floor_quotient(np.array([float(left) * 100.0]), float(divisor))
    assert int(exact[0]) == left * 100 // divisor


@given(st.lists(st.integers(0, 20_000), max_size=20), st.booleans())
def test_normalising_by_table_or_by_division_is_the_same(scores, reverse):
    top = max(scores, default=0)
    if top == 0:
        expected = [100 if reverse else 0 for _ in scores]
    else:
        expected = [100 - 100 * s // top if reverse else 100 * s // top for s in scores]
    assert scaled_to_top(np.array(scores, dtype=np.int64), reverse).tolist() == expected


@given(st.data(), st.integers(1, 30))
def test_a_tally_counts_however_it_is_kept(data, size):
    codes = np.array(data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)))
    eligible = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    column = LabelColumn(["a", "b", "c"], codes)
    counts, parts = [0] * size, [NodeTally(size), NodeTally(size)]
    for node, part in data.draw(
        st.lists(st.tuples(st.integers(0, size - 1), st.sampled_from(parts)), max_size=8)
    ):
        part.add(node)
        counts[node] += 1
    tally = NodeTally(size, parts)
    for node, remove in data.draw(
        st.lists(st.tuples(st.integers(0, size - 1), st.booleans()), max_size=30)
    ):
        tally.per_value(column)  # from here on, a dense tally keeps its sums
        tally.per_value(column, eligible, (1, 2))
        if remove and counts[node]:
            tally.remove(node)
            counts[node] -= 1
        elif not remove:
            tally.add(node)
            counts[node] += 1
    assert tally.total == sum(counts)
    assert tally.per_node().tolist() == counts
    assert sorted(tally.nodes().tolist()) == [i for i, c in enumerate(counts) for _ in range(c)]
    for mask in (None, eligible):
        per_value = [0] * 4
        for node, count in enumerate(counts):
            if mask is None or mask[node]:
                per_value[codes[node]] += count
        assert tally.per_value(column, mask, () if mask is None else (1, 2)).tolist() == per_value
        if mask is None:
            assert tally.places(column).tolist() == [*(count > 0 for count in per_value[:3]), False]
