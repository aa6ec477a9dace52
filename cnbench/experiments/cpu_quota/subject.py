"""Busy threads in a limited group, sampled from one period edge to another."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cnbench.core.proof import Proof, true
from cnbench.experiments.cpu_quota.limits import Limits
from cnbench.experiments.cpu_quota.proof import limit_checks
from cnbench.lab.cgroups.cpu import CpuAccount, CpuGroup
from cnbench.lab.clock import Clock
from cnbench.lab.waiting import wait_until
from cnbench.probes.cpu_time import run_delay
from cnbench.probes.spinners import Spinners

_POLL = 100e-6
# How long before an expected edge polling begins: a timer tick at HZ=250, and some delay.
_AHEAD = 6e-3
# A shorter period's end cannot be met: waking up takes a part of a millisecond, on a busy machine
# some of them.
_SHORTEST_TO_LOOK_INTO = 10e-3

# A group that is never throttled and waits for so much of the time that it runs lacks CPUs. On an
# idle machine two threads on two CPUs waited for less than a hundredth.
_WAITING = 0.05


@dataclass
class QuotaSubject:
    """Busy threads in a limited group."""

    group: CpuGroup
    # The group whose quota is the tightest on the way to the root: the one that throttles.
    binding: CpuGroup
    parent: CpuGroup | None
    spinners: Spinners
    clock: Clock
    limits: Limits
    periods: int
    fresh: bool

    def __post_init__(self) -> None:
        self._opened = self.binding.account()
        self._delayed = self._run_delay()

    def sample(self) -> Mapping[str, float]:
        """The quota's error, the share of throttled periods, the longest stall, and the overshoot.

        Short periods have no overshoot: the end of one cannot be met. Nor has a fresh group.
        """
        return self._from_fresh() if self.fresh else self._from_edge_to_edge()

    def _from_edge_to_edge(self) -> Mapping[str, float]:
        with self.spinners.running():
            before = self._account_at_next_edge()
            began = time.monotonic()
            self.spinners.watch()
            overshoot = self._watch_periods(before, began)
            _sleep_until(began + self.periods * self.limits.period - _AHEAD)
            after = self._account_at_next_edge(since=before.periods + self.periods - 1)
            longest_gap = self.spinners.longest_gap()
        periods = after.periods - before.periods
        return self._values(before, after, periods, longest_gap) | overshoot

    def _from_fresh(self) -> Mapping[str, float]:
        """For the time of all periods from the moment that the limit is set.

        Setting it anew fills the quota and forgives every debt (``tg_set_cfs_bandwidth`` in
        kernel/sched/core.c), as if the group had just been made.
        """
        set_limits(self.limits, self.group, self.parent)
        before = self.binding.account()
        with self.spinners.running():
            self.spinners.watch()
            time.sleep(self.periods * self.limits.period)
            after = self.binding.account()
            longest_gap = self.spinners.longest_gap()
        return self._values(before, after, self.periods, longest_gap)

    def _values(
        self, before: CpuAccount, after: CpuAccount, periods: int, longest_gap: int
    ) -> dict[str, float]:
        return {
            "error": self._over(before, after, periods),
            "throttled": (after.throttled - before.throttled)
            / max(1, after.periods - before.periods),
            "stall": self.clock.units(longest_gap),
        }

    def _watch_periods(self, edge: CpuAccount, began: float) -> dict[str, float]:
        """The overshoot of the worst of the periods from the ``edge`` at ``began`` on.

        The account is read in the middle of the time that is left of a period once its quota is
        used up. The group is off the CPU then, so that it does not matter when exactly it is read.
        """
        if self.limits.period < _SHORTEST_TO_LOOK_INTO:
            return {}
        used_up = min(1.0, self.limits.allowed / len(self.spinners.pids))
        middle = (1 + used_up) / 2
        # As if read in the period that the edge has ended.
        last = replace(edge, periods=edge.periods - 1)
        worst = -1.0
        for number in range(self.periods):
            _sleep_until(began + (number + middle) * self.limits.period)
            account = self.binding.account()
            if account.periods > last.periods:
                worst = max(worst, self._over(last, account, account.periods - last.periods))
                last = account
        return {"overshoot": worst}

    def _over(self, before: CpuAccount, after: CpuAccount, periods: int) -> float:
        """The time used between two readings over what ``periods`` allow, less one."""
        allowed = periods * self.limits.allowed * self.limits.period
        return (after.usage - before.usage) / allowed - 1

    def _account_at_next_edge(self, since: int | None = None) -> CpuAccount:
        """The accounting just after the period count has passed ``since`` (by default: is passed).

        Raises:
            CnbenchError: no period ended for a hundred of them: the controller is not at work.
        """
        passed = self.binding.periods() if since is None else since
        wait_until(
            lambda: self.binding.periods() > passed,
            "the controller's period count stood still",
            within=(100 + self.periods) * self.limits.period + 1,
            every=_POLL,
        )
        return self.binding.account()

    def proof(self) -> Proof:
        """The threads are in the group, the kernel has the limit, and it throttled them."""
        inside = all(_is_in(pid, self.group) for pid in self.spinners.pids)
        throttled = self.binding.account().throttled - self._opened.throttled
        return Proof(
            (
                true("every busy thread is in the limited cgroup", self.group.folder.name, inside),
                *limit_checks(self.limits, self.group, self.parent),
                true(
                    "the group used up its quota and was throttled",
                    f"{throttled} periods" if throttled else self._why_never_throttled(),
                    throttled > 0,
                ),
            )
        )

    def _why_never_throttled(self) -> str:
        """What became of the time: others had it, where the threads waited for a CPU."""
        used = self.binding.account().usage - self._opened.usage
        waited = self._run_delay() - self._delayed
        if waited < _WAITING * used:
            return f"0 periods, {used:.2f} s of CPU time used"
        return (
            "0 periods: the machine was busy with other things, the group's threads ran for "
            f"{used:.2f} s and waited for a CPU for {waited:.2f} s"
        )

    def _run_delay(self) -> float:
        """Seconds that all threads together have waited for a CPU; being throttled counts, too."""
        return sum(run_delay(pid) for pid in self.spinners.pids)


def set_limits(limits: Limits, group: CpuGroup, parent: CpuGroup | None) -> None:
    """Limit a group, and the one above it."""
    if parent:
        parent.limit(limits.parents, limits.period)
    group.limit(limits.quota, limits.period, limits.burst)


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _is_in(pid: int, group: CpuGroup) -> bool:
    return any(
        line.endswith("/".join(group.folder.parts[-2:]))
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    )
