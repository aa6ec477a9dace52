"""cpu-burst: what does a CPU quota cost a service that stays below it, and does burst help?

A service is sent one request a period. Most need little CPU time, one in five more than a period's
quota, though over all of them the service uses only a part of what it may. When the large request
comes, the quota of that period runs out, and the service is kept off the CPU until the next,
although it has left most of the quotas before unused. With a burst it may use some of what it left.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from cnbench.core.experiment import Experiment, never_soon_counted
from cnbench.core.kernels.throttling import throttling_era
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal, true
from cnbench.experiments.cgroup import CONTROLLER
from cnbench.experiments.cpu_quota.grid import THROTTLED, cgroup_of
from cnbench.lab.cgroups.cpu import CpuGroup, require_controller
from cnbench.lab.cgroups.hierarchies import Version
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.probes.requests import Responder, open_service

# Requests of which the last is large.
_CYCLE = 5
# A little more than a period apart, so that they meet it at all its moments.
_SPACING = 1.03


@dataclass(frozen=True)
class ServiceLoad:
    """What a service is asked for.

    Attributes:
        quota: in CPUs.
        period: in seconds.
        use: CPU time of all requests, as a share of all quotas.
        peak: CPU time of the large request, in quotas.
        cycles: how often a row of requests is sent in one sample.
    """

    quota: float
    period: float
    use: float
    peak: float
    cycles: int

    @property
    def small(self) -> float:
        """CPU time of the other requests, in quotas; negative if the large one is too much."""
        return (_CYCLE * _SPACING * self.use - self.peak) / (_CYCLE - 1)

    def costs(self) -> list[int]:
        """CPU time of each request of a sample, in ns."""
        row = [*[self.small] * (_CYCLE - 1), self.peak]
        return [round(share * self.quota * self.period * 1e9) for share in row] * self.cycles


@dataclass
class BurstSubject:
    """A service in a limited group, and requests to it."""

    group: CpuGroup
    service: Responder
    clock: Clock
    demand: ServiceLoad
    burst: float

    def __post_init__(self) -> None:
        self._throttled = 0
        self._requests = 0

    def sample(self) -> Mapping[str, float]:
        """The longest time a request waited beyond its own CPU time, and what was throttled."""
        costs = self.demand.costs()
        spacing = round(_SPACING * self.demand.period * 1e9)
        before = self.group.account()
        took = self.service.respond(costs, spacing)
        after = self.group.account()
        throttled = after.throttled - before.throttled
        self._throttled += throttled
        self._requests += len(took)
        allowed = len(costs) * spacing / 1e9 * self.demand.quota
        return {
            "stall": self.clock.units(max(t - c for t, c in zip(took, costs, strict=True))),
            "response": self.clock.units(max(took)),
            "throttled": throttled / max(1, after.periods - before.periods),
            "used": (after.usage - before.usage) / allowed,
        }

    def proof(self) -> Proof:
        """The service is in the group, and the kernel has its quota and its burst."""
        quota_us = round(self.demand.quota * self.demand.period * 1e6)
        wanted = (quota_us, round(self.demand.period * 1e6))
        return Proof(
            (
                equal("the group's only process", [self.service.pid], self.group.members()),
                equal("limit read back (quota µs, period µs)", wanted, self.group.read_limit()),
                equal(
                    "burst read back (µs)", round(self.burst * quota_us), self.group.read_burst()
                ),
                true("requests were answered", self._requests, self._requests > 0),
                true("periods in which the group was throttled", self._throttled, True),
            )
        )


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[BurstSubject]:
    """A service under the quota."""
    demand, burst = _demand(params), params.number("burst")
    with lab.cpu_group(cast(Version, params["controller"])) as group:
        group.limit(demand.quota, demand.period, burst)
        with open_service(group, lab.clock) as service:
            yield BurstSubject(group, service, lab.clock, demand, burst)


def _demand(params: Point) -> ServiceLoad:
    return ServiceLoad(
        quota=params.number("quota"),
        period=params.number("period"),
        use=params.number("use"),
        peak=params.number("peak"),
        cycles=params.whole("cycles"),
    )


def nonsense(params: Point) -> str:
    """Why a point is left out, or the empty text."""
    demand = _demand(params)
    if demand.small < 0:
        return (
            f"one large request of {demand.peak:.0%} of a quota in {_CYCLE} alone is more than "
            f"{demand.use:.0%} of all quotas"
        )
    if round(demand.quota * demand.period * 1e6) < 1000:
        return "a quota of less than 1 ms is not taken by the kernel"
    return ""


def _require(params: Point, lab: Lab) -> None:
    require_controller(params.text("controller"))
    lab.require_cpu_group(params.text("controller"))


EXPERIMENT = Experiment(
    name="cpu-burst",
    question="What does a CPU quota cost a service that stays below it, and does burst help?",
    parameters=(
        CONTROLLER,
        Parameter(
            "burst",
            "unused time that may be used later, as a share of the quota",
            quick=(0.0, 1.0),
            full=(0.0, 0.25, 0.5, 1.0),
            unit="1",
            maximum=1,
        ),
        Parameter(
            "quota",
            "CPU time allowed in a period, as a share of one CPU",
            quick=(0.4,),
            full=(0.1, 0.4),
            unit="1",
            minimum=0.001,
            # One thread cannot use more than one CPU.
            maximum=0.8,
        ),
        Parameter(
            "period",
            "how often the quota is refilled",
            quick=(0.1,),
            full=(0.1, 0.02),
            unit="s",
            minimum=0.001,
            maximum=1,
        ),
        Parameter(
            "use",
            "CPU time of all requests, as a share of all quotas",
            quick=(0.5,),
            full=(0.3, 0.5, 0.7),
            unit="1",
            minimum=0.01,
            maximum=0.95,
        ),
        Parameter(
            "peak",
            "CPU time of the large request, as a share of a quota",
            quick=(1.75,),
            full=(0.75, 1.75),
            unit="1",
            minimum=0.01,
            maximum=2,
        ),
        Parameter(
            "cycles",
            "rows of five requests in one sample",
            quick=(1,),
            full=(10,),
            whole=True,
            minimum=1,
            maximum=10_000,
        ),
    ),
    metrics=(
        Metric(
            "stall",
            "s",
            "lower",
            "ratio",
            "longest time a request waited beyond its own work",
            elapsed=True,
        ),
        Metric("response", "s", "lower", "ratio", "longest response time", elapsed=True),
        THROTTLED,
        Metric("used", "1", "lower", "additive", "CPU time used over CPU time allowed"),
    ),
    variant="burst",
    beside=("controller",),
    subject=open_subject,
    require=_require,
    cgroup=cgroup_of,
    soon=never_soon_counted,
    nonsense=nonsense,
    era=throttling_era,
)
