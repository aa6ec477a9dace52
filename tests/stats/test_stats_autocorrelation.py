"""The memory of a series as arrays have it, held against the standard library's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.core.autocorrelation import lag_one
from cnbench.stats.autocorrelation import lag_one_of

# Few different values, so that many are equal and share a score.
values = st.lists(st.integers(-5, 5) | st.floats(-1e9, 1e9), max_size=40)


@given(values)
def test_an_array_remembers_what_a_list_does(found):
    assert lag_one_of(np.array(found, dtype=float)) == pytest.approx(lag_one(found), abs=1e-12)


def test_a_series_that_alternates_and_one_that_stays():
    assert lag_one_of(np.array([1.0, 2.0] * 50)) == pytest.approx(-0.99)
    assert lag_one_of(np.repeat([1.0, 2.0], 50)) == pytest.approx(0.97)
