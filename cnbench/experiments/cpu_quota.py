"""cpu-quota: how exactly does the kernel hold a group of threads to its CPU quota?

A group is given ``quota`` x ``period`` of CPU time in every period, and threads that never stop.
The time they used comes from the controller's own accounting. A period's overshoot is paid back in
the next, so a sample runs from one period edge to another, over many periods: started anywhere else
it would count a part of a period's budget that belongs to no whole period.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Params
from cnbench.core.proof import Proof, equal, true
from cnbench.lab.cgroup import CpuAccount, CpuGroup, Version, require_controller
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.probes.spinners import Spinners, open_spinners

_POLL = 100e-6
# How long before an expected edge polling begins: a timer tick at HZ=250, and some delay.
_AHEAD = 6e-3


@dataclass
class QuotaSubject:
    """Busy threads in a limited group."""

    group: CpuGroup
    spinners: Spinners
    clock: Clock
    quota: float
    period: float
    periods: int

    def __post_init__(self) -> None:
        self._opened = self.group.account()

    def sample(self) -> Mapping[str, float]:
        """The quota's error, the share of throttled periods, and the longest stall."""
        with self.spinners.running():
            before = self._account_at_next_edge()
            self.spinners.watch()
            time.sleep(max(0.0, (self.periods - 1) * self.period - _AHEAD))
            after = self._account_at_next_edge(since=before.periods + self.periods - 1)
            longest_gap = self.spinners.longest_gap()
        periods = after.periods - before.periods
        allowed = periods * self.quota * self.period
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
        since = self.group.periods() if since is None else since
        give_up = time.monotonic() + (100 + self.periods) * self.period + 1
        while self.group.periods() <= since:
            if time.monotonic() > give_up:
                raise CnbenchError("the controller's period count stands still")
            time.sleep(_POLL)
        return self.group.account()

    def proof(self) -> Proof:
        """The threads are in the group, the kernel has the limit, and it throttled them."""
        wanted = (round(self.quota * self.period * 1e6), round(self.period * 1e6))
        inside = all(_is_in(pid, self.group) for pid in self.spinners.pids)
        now = self.group.account()
        throttled = now.throttled - self._opened.throttled
        return Proof(
            (
                true("every busy thread is in the limited cgroup", self.group.folder.name, inside),
                equal("limit read back (quota µs, period µs)", wanted, self.group.read_limit()),
                true(
                    "the group used up its quota and was throttled",
                    f"{throttled} periods",
                    throttled > 0,
                ),
            )
        )


def _is_in(pid: int, group: CpuGroup) -> bool:
    return any(
        line.endswith("/".join(group.folder.parts[-2:]))
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    )


@contextlib.contextmanager
def open_subject(params: Params, lab: Lab) -> Iterator[QuotaSubject]:
    """Busy threads under the quota, past their first periods."""
    quota, period, threads = float(params["quota"]), float(params["period"]), int(params["threads"])
    with lab.cpu_group(cast(Version, params["controller"])) as group:
        group.limit(quota, period)
        with open_spinners(threads, group) as spinners:
            yield QuotaSubject(group, spinners, lab.clock, quota, period, int(params["periods"]))


def _threads_for_quota(so_far: Params) -> tuple[int, ...]:
    return (max(1, math.ceil(float(so_far["quota"]))),)


def _never_throttled(params: Params) -> str:
    if float(params["quota"]) >= int(params["threads"]):
        return (
            f"{params['threads']} busy threads never use up a quota of {float(params['quota']):.0%}"
        )
    return ""


def _require(params: Params, lab: Lab) -> None:
    require_controller(str(params["controller"]))
    cpus = len(os.sched_getaffinity(0))
    if float(params["quota"]) > cpus:
        raise UnsupportedError(
            f"a quota of {float(params['quota']):.0%} is never used up on {cpus} CPUs",
            "use a machine with more of them, or a smaller quota",
        )


EXPERIMENT = Experiment(
    name="cpu-quota",
    question="How exactly does the kernel hold a group of busy threads to its CPU quota?",
    parameters=(
        Parameter(
            "controller",
            "the version of the cgroup interface",
            quick=("v1", "v2"),
            full=("v1", "v2"),
            choices=("v1", "v2"),
        ),
        Parameter(
            "quota",
            "CPU time allowed in a period, as a share of one CPU",
            quick=(0.2, 0.5, 1.5),
            full=(0.01, 0.05, 0.2, 0.5, 1.5),
            unit="1",
            minimum=0.001,
            maximum=64,
        ),
        Parameter(
            "period",
            "how often the quota is refilled",
            quick=(0.1, 0.01),
            full=(0.1, 0.01, 0.005),
            unit="s",
            minimum=0.001,
            maximum=1,
        ),
        Parameter(
            "threads",
            "busy threads in the group",
            quick=_threads_for_quota,
            full=_threads_for_quota,
            whole=True,
            minimum=1,
            maximum=256,
        ),
        Parameter(
            "periods",
            "periods in one sample",
            quick=(30,),
            full=(100,),
            whole=True,
            minimum=1,
            maximum=100_000,
        ),
    ),
    metrics=(
        Metric("error", "1", "zero", "additive", "CPU time used over CPU time allowed, less one"),
        Metric("throttled", "1", "lower", "additive", "share of the periods with throttling"),
        Metric("stall", "s", "lower", "ratio", "longest time that a thread was kept off the CPU"),
    ),
    variant="controller",
    beside=("quota", "threads"),
    subject=open_subject,
    require=_require,
    nonsense=_never_throttled,
)
