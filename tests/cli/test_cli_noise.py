"""`cnbench noise`, from runs that were never measured."""

import json

import made_up
import numpy as np
import pytest

from cnbench.store import run_file


def test_it_tells_the_spreads_that_were_put_in(cnbench, results):
    rng = np.random.default_rng(1)
    for number in range(30):
        values = np.exp(rng.normal(0, 0.02) + rng.normal(0, 0.005, 40))
        run = made_up.run(
            made_up.result(values.tolist()), identity=f"20260101-0000{number:02}-aaaa"
        )
        run_file.write(run, results / f"{run.id}.json")
    done = cnbench("noise", "--json")
    (row,) = json.loads(done.out)["rows"]
    assert row["runs"] == 30
    assert row["between_runs"] == pytest.approx(0.02, rel=0.3)
    assert row["within_run"] == pytest.approx(0.005, rel=0.1)
    assert row["between_setups"] is None
    # t of 29 degrees 2.045, 0.842 for the power: 2.887 standard errors.
    one = row["finds_with_one_run_a_side"]
    assert np.log1p(one) == pytest.approx(2.887 * np.log1p(row["between_runs"]) * 2**0.5, rel=1e-3)
    assert "between runs" in cnbench("noise").out


def test_nothing_to_tell_from_is_said(cnbench, results):
    cnbench("noise").failed_in_one_sentence(2, "no results to tell from", "--repeat 3")
