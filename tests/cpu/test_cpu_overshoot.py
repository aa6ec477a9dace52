"""The overshoot of the worst period, from accounts that are known."""

from __future__ import annotations

import pytest

from cnbench.experiments.cpu_quota.limits import Limits
from cnbench.experiments.cpu_quota.subject import QuotaSubject
from cnbench.lab.cgroups.cpu import CpuAccount
from cnbench.lab.clock import Clock

PERIOD, ALLOWED = 0.01, 0.002


class Group:
    """A group whose account is told beforehand, one a reading."""

    def __init__(self, accounts):
        self.accounts = [CpuAccount(0, 0, 0), *accounts]

    def account(self):
        return self.accounts.pop(0)


class OneThread:
    pids = (1,)


def overshoot(used, period=PERIOD, missed=()):
    """What is found where each period used so much; those in ``missed`` were read too late."""
    number, usage, accounts = 7, 0.0, []
    for index, time_used in enumerate(used):
        usage += time_used
        number += 1
        if index not in missed:
            accounts.append(CpuAccount(usage, number - 1, 0))
    accounts += accounts[-1:] * len(missed)
    group = Group(accounts)
    limits = Limits(0.2, period, 0, "none")
    subject = QuotaSubject(group, group, None, OneThread(), Clock("wall"), limits, len(used), False)
    return subject._watch_periods(CpuAccount(0.0, 7, 0), began=0.0)


def test_the_worst_period_counts_and_not_the_debt_that_the_next_one_paid():
    assert overshoot([ALLOWED, 3 * ALLOWED, 0, 0])["overshoot"] == pytest.approx(2)


def test_a_group_below_its_quota_has_not_overshot():
    assert overshoot([ALLOWED / 2] * 3)["overshoot"] == pytest.approx(-0.5)


def test_a_period_that_was_slept_through_is_counted_with_the_next():
    found = overshoot([ALLOWED, 2 * ALLOWED, 2 * ALLOWED], missed=[1])
    assert found["overshoot"] == pytest.approx(1)


def test_short_periods_have_none():
    assert overshoot([ALLOWED], period=0.001) == {}
