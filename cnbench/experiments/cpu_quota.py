"""cpu-quota: how exactly does the kernel hold a group of threads to its CPU quota?

A group is given ``quota`` x ``period`` of CPU time in every period, and threads that never stop.
The time they used comes from the controller's own accounting. A period's overshoot is paid back in
the next, so a sample runs from one period edge to another, over many periods: started anywhere else
it would count a part of a period's budget that belongs to no whole period.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Params
from cnbench.core.proof import Check, Proof, equal, true
from cnbench.experiments.cpu_quota_grid import PARAMETERS, makes_no_sense
from cnbench.lab.cgroup import CpuAccount, CpuGroup, Version, require_controller
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.probes.spinners import Spinners, open_spinners

_POLL = 100e-6
# How long before an expected edge polling begins: a timer tick at HZ=250, and some delay.
_AHEAD = 6e-3


# A parent's quota over its group's own.
_PARENTS = {"looser": 2.0, "tighter": 0.5}


@dataclass(frozen=True)
class Limits:
    """What a group may use; quotas in CPUs, the period in seconds, the burst in quotas.

    Attributes:
        nested: ``none``, or a parent whose quota is ``looser`` or ``tighter`` than the group's.
    """

    quota: float
    period: float
    burst: float
    nested: str

    @property
    def parents(self) -> float:
        """The quota of the group above."""
        return self.quota * _PARENTS[self.nested]

    @property
    def allowed(self) -> float:
        """What the group can use: the tighter quota wins."""
        return self.quota if self.nested == "none" else min(self.quota, self.parents)

    def in_microseconds(self, quota: float) -> tuple[int, int]:
        """A quota and its period as the kernel has them."""
        return round(quota * self.period * 1e6), round(self.period * 1e6)


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


@contextlib.contextmanager
def open_subject(params: Params, lab: Lab) -> Iterator[QuotaSubject]:
    """Busy threads under the quota, past their first periods."""
    version = cast(Version, params["controller"])
    limits = Limits(
        float(params["quota"]),
        float(params["period"]),
        float(params["burst"]),
        str(params["nested"]),
    )
    with contextlib.ExitStack() as stack:
        parent = None
        if limits.nested != "none":
            parent = stack.enter_context(lab.cpu_group(version))
            parent.limit(limits.parents, limits.period)
        group = stack.enter_context(lab.cpu_group(version, above=parent))
        group.limit(limits.quota, limits.period, limits.burst)
        spinners = stack.enter_context(
            open_spinners(int(params["threads"]), group, str(params["load"]))
        )
        binding = parent if parent and limits.nested == "tighter" else group
        yield QuotaSubject(
            group, binding, parent, spinners, lab.clock, limits, int(params["periods"])
        )


def _require(params: Params, lab: Lab) -> None:
    require_controller(str(params["controller"]))
    cpus = len(os.sched_getaffinity(0))
    if float(params["quota"]) > cpus:
        raise UnsupportedError(
            f"a quota of {float(params['quota']):.0%} is never used up on {cpus} CPUs",
            "use a machine with more of them, or a smaller quota",
        )
    if params["controller"] == "v1" and params["nested"] == "tighter":
        raise UnsupportedError(
            "cgroup v1 takes no quota above the parent's, so the parent is never the tighter one",
            "use cgroup v2: --lab guest",
        )


EXPERIMENT = Experiment(
    name="cpu-quota",
    question="How exactly does the kernel hold a group of busy threads to its CPU quota?",
    parameters=PARAMETERS,
    metrics=(
        Metric("error", "1", "zero", "additive", "CPU time used over CPU time allowed, less one"),
        Metric("throttled", "1", "lower", "additive", "share of the periods with throttling"),
        Metric("stall", "s", "lower", "ratio", "longest time that a thread was kept off the CPU"),
    ),
    variant="controller",
    beside=("quota", "threads", "load", "nested", "burst"),
    subject=open_subject,
    require=_require,
    nonsense=makes_no_sense,
)
