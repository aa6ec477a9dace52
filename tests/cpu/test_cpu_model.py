"""The model that the quota's error is shown beside, by hand."""

from __future__ import annotations

import pytest

from cnbench.experiments.cpu_quota.model import Bandwidth

KERNEL = {"tick": 0.004, "slice": 0.005}


def test_the_error_of_many_periods_is_that_of_one_overrun():
    group = Bandwidth(quota=0.2, period=0.1, running=1, **KERNEL)
    assert group.overrun == 0.004
    # A tick too much and a millisecond left lying, of 20 ms a period.
    assert group.largest_error(periods=1) == pytest.approx(0.25)
    assert group.largest_error(periods=100) == pytest.approx(0.0025)


def test_every_running_cpu_may_run_over():
    one = Bandwidth(quota=0.5, period=0.1, running=1, **KERNEL)
    two = Bandwidth(quota=0.5, period=0.1, running=2, **KERNEL)
    assert two.largest_error(10) == pytest.approx(2 * one.largest_error(10))


def test_a_thread_waits_for_the_rest_of_the_period():
    assert Bandwidth(0.2, 0.1, 1, **KERNEL).longest_stall() == pytest.approx(0.08)


def test_a_debt_larger_than_the_quota_is_waited_for_whole_periods():
    # 1 ms of quota, an overrun of 4 ms: the four next quotas are spent already.
    assert Bandwidth(0.01, 0.1, 1, **KERNEL).longest_stall() == pytest.approx(0.099 + 0.4)
