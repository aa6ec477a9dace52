"""Held against scipy, which has them all."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import bdtr, ndtr, ndtri, stdtr, stdtrit

from cnbench.stats.distributions import (
    heads_at_most,
    normal_chance,
    normal_quantile,
    t_chance,
    t_quantile,
)

CHANCES = st.floats(1e-9, 1 - 1e-9)
VALUES = st.floats(-30, 30)
FREEDOMS = st.floats(0.5, 1e4)


@given(CHANCES, VALUES)
def test_the_normal_distribution(chance, value):
    assert normal_quantile(chance) == pytest.approx(ndtri(chance), rel=1e-12, abs=1e-12)
    assert normal_chance(value) == pytest.approx(ndtr(value), rel=1e-12)


@given(FREEDOMS, st.floats(1e-6, 1 - 1e-6), VALUES)
@example(100.0, 0.975, 2.0)
@example(100.0, 1e-6, 2.0)
def test_students_t(freedom, chance, value):
    within = 1e-8 if 0.001 < chance < 0.999 else 1e-6
    expected = stdtrit(freedom, chance)
    assert t_quantile(freedom, chance) == pytest.approx(expected, rel=within, abs=1e-9)
    assert t_chance(freedom, value) == stdtr(freedom, value)


@pytest.mark.parametrize("n", [1, 2, 5, 6, 7, 12, 100, 1001, 50_000])
def test_how_many_of_fair_coins_show_heads(n):
    expected = bdtr(np.arange(n // 2 + 1), n, 0.5)
    assert heads_at_most(n) == pytest.approx(expected, rel=1e-8, abs=1e-12)


def test_scipy_is_not_imported_where_no_t_is_asked_for():
    program = (
        "import sys; import cnbench.stats.effects, cnbench.stats.intervals as i;"
        "i.median_interval(range(9)); print('scipy' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert said.stdout.strip() == b"False"
