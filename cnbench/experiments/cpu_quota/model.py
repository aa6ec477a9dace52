"""How far from its quota a group may be, by what is known of the kernel's controller.

The controller hands out a quota in slices to the CPUs a group runs on
(``kernel.sched_cfs_bandwidth_slice_us``), and looks whether one is used up when the scheduler's
tick comes by. A thread so runs on for up to a tick after its slice has ended; what it used too much
is a debt, paid from the next slice. (Documentation/scheduler/sched-bwc.rst, and in
kernel/sched/fair.c ``__account_cfs_rq_runtime`` and ``distribute_cfs_runtime``.)
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bandwidth:
    """A limited group on a kernel.

    Attributes:
        quota: in CPUs.
        period: in seconds.
        running: CPUs that its threads run on at once.
        tick: seconds between two ticks, 1 / CONFIG_HZ.
        slice: seconds of quota that a CPU takes at a time.
    """

    quota: float
    period: float
    running: int
    tick: float
    slice: float

    @property
    def overrun(self) -> float:
        """The most CPU time, in seconds, that a group may use before it is seen to be over."""
        return self.running * self.tick

    @property
    def stranded(self) -> float:
        """The most quota, in seconds, that lies on CPUs where nothing uses it when a period ends.

        A CPU gives all but a millisecond of its slice back when its last thread sleeps
        (``min_cfs_rq_runtime``); from 5.4 on that millisecond does not expire.
        """
        return self.running * min(self.slice, 1e-3)

    def largest_error(self, periods: int) -> float:
        """How far from the quota, relatively, the time used over whole periods may be.

        An overrun is paid back in the next period, so a row of periods has one of them, not many.
        """
        return (self.overrun + self.stranded) / (periods * self.quota * self.period)

    def longest_stall(self) -> float:
        """Seconds for which threads that never sleep are kept off the CPU, at most.

        The quota's share of a period is used up at its begin; a debt is waited for whole periods.
        """
        budget = self.quota * self.period / self.running
        debt_periods = int(self.overrun // (self.quota * self.period))
        return max(0.0, self.period - budget) + debt_periods * self.period
