"""The grids of the CPU experiments: what they cover, and what they leave out."""

from __future__ import annotations

import pytest

from cnbench.core.errors import UnsupportedError, UsageError
from cnbench.experiments import cpu_burst, cpu_quota, cpu_weight
from cnbench.experiments.cpu_quota.limits import Limits

QUOTA = cpu_quota.EXPERIMENT
BURST = cpu_burst.EXPERIMENT


def test_a_full_run_covers_the_surface_that_the_kernel_allows():
    points = QUOTA.grid(full=True, given={})
    surface = {(point["quota"], point["period"], point["threads"]) for point in points}
    assert {quota for quota, _, _ in surface} == {0.01, 0.02, 0.05, 0.2, 0.5, 1.0, 1.5, 2.0, 4.0}
    assert {period for _, period, _ in surface} == {1.0, 0.1, 0.01, 0.001}
    assert {threads for _, _, threads in surface} == {1, 2, 4, 8}
    assert all(quota < threads for quota, _, threads in surface)
    assert all(round(quota * period * 1e6) >= 1000 for quota, period, _ in surface)


def test_one_percent_of_a_tenth_of_a_second_is_just_enough_for_the_kernel():
    assert QUOTA.grid(full=False, given={"quota": (0.01,), "period": (0.1,)})


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"quota": (1.0,), "threads": (1,)}, "never use up"),
        ({"quota": (0.05,), "period": (0.01,)}, "less than 1 ms"),
        ({"quota": (0.01,), "period": (0.1,), "nested": ("tighter",)}, "0.5% of 100 ms"),
    ],
)
def test_a_point_that_makes_no_sense_is_refused_with_the_reason(given, why):
    with pytest.raises(UsageError, match=why):
        QUOTA.grid(full=False, given=given)


def test_load_nesting_and_burst_are_varied_one_at_a_time():
    points = QUOTA.grid(full=True, given={})
    common = {"load": "spin", "nested": "none", "burst": 0.0}
    assert all(sum(point[name] != common[name] for name in common) <= 1 for point in points)
    for name in common:
        assert len({point[name] for point in points}) > 1


def test_a_full_run_has_the_kernels_own_test_alone_and_nested():
    points = QUOTA.grid(full=True, given={"controller": ("v2",)})
    alone = {"quota": 0.01, "period": 0.1, "threads": 1, "periods": 10, "nested": "none",
             "start": "fresh"}  # fmt: skip
    nested = alone | {"quota": 0.02, "nested": "tighter"}
    for wanted in (alone, nested):
        assert any(wanted.items() <= point.items() for point in points)


@pytest.mark.parametrize(("nested", "allowed"), [("none", 0.2), ("looser", 0.2), ("tighter", 0.1)])
def test_of_two_nested_quotas_the_tighter_wins(nested, allowed):
    assert Limits(0.2, 0.1, 0, nested).allowed == allowed


def test_v1_takes_no_quota_above_the_parents():
    point = QUOTA.grid(False, {"controller": ("v1",), "nested": ("tighter",)})[0]
    with pytest.raises(UnsupportedError):
        QUOTA.require(point, None)


def test_requests_use_what_they_are_to_use():
    for point in BURST.grid(full=True, given={}):
        demand = cpu_burst._demand(point)
        seconds = len(demand.costs()) * cpu_burst._SPACING * demand.period
        used = sum(demand.costs()) / 1e9 / (seconds * demand.quota)
        assert used == pytest.approx(demand.use, rel=1e-6)
        assert max(demand.costs()) == pytest.approx(
            demand.peak * demand.quota * demand.period * 1e9, rel=1e-6
        )


def test_a_peak_above_the_whole_use_makes_no_sense():
    with pytest.raises(UsageError, match="alone is more than"):
        BURST.grid(full=False, given={"use": (0.1,), "peak": (1.75,)})


def test_weights_stay_within_what_both_versions_take():
    for point in cpu_weight.EXPERIMENT.grid(full=True, given={}):
        assert 2 <= point["ratio"] * 1024 <= 262144 or point["ratio"] == 1
        assert 1 <= point["ratio"] * 100 <= 10000
