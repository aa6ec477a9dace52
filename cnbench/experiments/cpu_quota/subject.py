"""Busy threads in a limited group, sampled from one period edge to another."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import CnbenchError
from cnbench.core.proof import Check, Proof, equal, true
from cnbench.experiments.cpu_quota.limits import Limits
from cnbench.lab.cgroup import CpuAccount, CpuGroup
from cnbench.lab.clock import Clock
from cnbench.probes.spinners import Spinners

_POLL = 100e-6
# How long before an expected edge polling begins: a timer tick at HZ=250, and some delay.
_AHEAD = 6e-3


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

    def __post_init__(self) -> None:
        self._opened = self.binding.account()

    def sample(self) -> Mapping[str, float]:
        """The quota's error, the share of throttled periods, and the longest stall."""
        with self.spinners.running():
            before = self._account_at_next_edge()
            self.spinners.watch()
            time.sleep(max(0.0, (self.periods - 1) * self.limits.period - _AHEAD))
            after = self._account_at_next_edge(since=before.periods + self.periods - 1)
            longest_gap = self.spinners.longest_gap()
        periods = after.periods - before.periods
        allowed = periods * self.limits.allowed * self.limits.period
        return {
            "error": (after.usage - before.usage) / allowed - 1,
            "throttled": (after.throttled - before.throttled) / periods,
            "stall": self.clock.units(longest_gap),
        }

    def _account_at_next_edge(self, since: int | None = None) -> CpuAccount:
        """The accounting just after the period count has passed ``since`` (by default: is passed).

        Raises:
            CnbenchError: no period ended for a hundred of them: the controller is not at work.
        """
        since = self.binding.periods() if since is None else since
        give_up = time.monotonic() + (100 + self.periods) * self.limits.period + 1
        while self.binding.periods() <= since:
            if time.monotonic() > give_up:
                raise CnbenchError("the controller's period count stands still")
            time.sleep(_POLL)
        return self.binding.account()

    def proof(self) -> Proof:
        """The threads are in the group, the kernel has the limit, and it throttled them."""
        inside = all(_is_in(pid, self.group) for pid in self.spinners.pids)
        throttled = self.binding.account().throttled - self._opened.throttled
        return Proof(
            (
                true("every busy thread is in the limited cgroup", self.group.folder.name, inside),
                equal(
                    "limit read back (quota µs, period µs)",
                    self.limits.in_microseconds(self.limits.quota),
                    self.group.read_limit(),
                ),
                *self._burst_and_parent(),
                true(
                    "the group used up its quota and was throttled",
                    f"{throttled} periods",
                    throttled > 0,
                ),
            )
        )

    def _burst_and_parent(self) -> list[Check]:
        checks = []
        if self.limits.burst:
            burst_us = round(self.limits.burst * self.limits.in_microseconds(self.limits.quota)[0])
            checks.append(equal("burst read back (µs)", burst_us, self.group.read_burst()))
        if self.parent:
            wanted = self.limits.in_microseconds(self.limits.parents)
            checks += [
                equal("the parent's limit read back", wanted, self.parent.read_limit()),
                equal("the group's parent", self.parent.folder, self.group.folder.parent),
            ]
        return checks


def _is_in(pid: int, group: CpuGroup) -> bool:
    return any(
        line.endswith("/".join(group.folder.parts[-2:]))
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    )
