"""cpu-quota's parameters, and which points of their grid are worth a run.

A full run covers quota x period x threads, for the surface of the error; load, nested groups and
burst are varied one at a time, where the common case is well known. Both runs have the case of the
kernel's own test (tools/testing/selftests/cgroup/test_cpu.c): 1 ms in 100 ms, for a second.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Params, Point, Value
from cnbench.core.venue import CgroupVersion
from cnbench.experiments.cgroup import CONTROLLER

THROTTLED = Metric(
    "throttled", "1", "lower", "additive", "share of the periods with throttling", share=True
)

# min_cfs_quota_period in kernel/sched/core.c.
_LEAST_QUOTA_US = 1000
_COMMON: Params = {"load": "spin", "nested": "none", "burst": 0.0}

_SELF_TEST: Params = {"quota": 0.01, "period": 0.1, "threads": 1}
# The limit is the parent's there, which in ours has half of the group's quota.
_NESTED_SELF_TEST: Params = {"quota": 0.02, "period": 0.1, "threads": 1, "nested": "tighter"}
_SELF_TEST_PERIODS = 10
# A busy second takes an emulated processor some ten.
_SOON_SECONDS = 0.055
_QUOTAS_TO_VARY_AT = (0.02, 0.2, 0.5)


def _fewest_threads(so_far: Point) -> tuple[int, ...]:
    return (max(1, math.ceil(so_far.number("quota"))),)


def _more_threads(so_far: Point) -> tuple[int, ...]:
    few = _fewest_threads(so_far)
    return tuple(sorted({*few, *(n for n in (1, 2, 4, 8) if n > so_far.number("quota"))}))


def _quick_periods(so_far: Point) -> tuple[int, ...]:
    seldom = so_far.number("period") >= 0.1
    return (_SELF_TEST_PERIODS,) if seldom or _is_self_test(so_far) else (25,)


def _enough_periods(so_far: Point) -> tuple[int, ...]:
    """Some seconds' worth of them, so that the tick weighs little against all their budgets."""
    enough = min(100, max(5, round(3 / so_far.number("period"))))
    return (_SELF_TEST_PERIODS, enough) if _is_self_test(so_far) else (enough,)


def _start(so_far: Point) -> tuple[str, ...]:
    self_test = _is_self_test(so_far) and so_far["periods"] == _SELF_TEST_PERIODS
    return ("fresh",) if self_test else ("edge",)


def _is_self_test(point: Point) -> bool:
    common = _is({**_SELF_TEST, **_COMMON}, point)
    return common or _is({**_COMMON, **_NESTED_SELF_TEST}, point)


def _is(wanted: Params, point: Point) -> bool:
    return all(point[name] == value for name, value in wanted.items())


def _where_common(name: str, values: tuple[Value, ...]) -> Callable[[Point], tuple[Value, ...]]:
    """``values`` at a few quotas, in the common period, where nothing else is varied."""

    def choose(so_far: Point) -> tuple[Value, ...]:
        others = all(so_far[other] == _COMMON[other] for other in _COMMON if other in so_far)
        here = so_far["period"] == 0.1 and so_far["quota"] in _QUOTAS_TO_VARY_AT
        return values if others and here and so_far["threads"] == 1 else (_COMMON[name],)

    return choose


def nonsense(params: Point) -> str:
    """Why a point is left out, or the empty text."""
    quota, period = params.number("quota"), params.number("period")
    if quota >= params.whole("threads"):
        return f"{params['threads']} busy threads never use up a quota of {quota:.0%}"
    smallest = quota / 2 if params["nested"] == "tighter" else quota
    if round(smallest * period * 1e6) < _LEAST_QUOTA_US:
        return (
            f"{smallest:.1%} of {period * 1e3:g} ms is less than 1 ms, which the kernel takes no "
            "quota under"
        )
    return ""


def cgroup_of(params: Point) -> CgroupVersion:
    """The version of cgroup that a point needs the cpu controller on."""
    return cast(CgroupVersion, params["controller"])


def soon_counted(params: Point) -> bool:
    """Whether a sample is busy for so short that a guest has counted it soon."""
    busy = params.number("quota") * params.number("period") * params.whole("periods")
    return busy <= _SOON_SECONDS


PARAMETERS = (
    CONTROLLER,
    Parameter(
        "quota",
        "CPU time allowed in a period, as a share of one CPU",
        quick=(0.01, 0.2, 0.5, 1.5),
        full=(0.01, 0.02, 0.05, 0.2, 0.5, 1.0, 1.5, 2.0, 4.0),
        unit="1",
        minimum=0.001,
        maximum=64,
    ),
    Parameter(
        "period",
        "how often the quota is refilled",
        quick=(0.1, 0.01),
        full=(1.0, 0.1, 0.01, 0.001),
        unit="s",
        minimum=0.001,
        maximum=1,
    ),
    Parameter(
        "threads",
        "busy threads in the group",
        quick=_fewest_threads,
        full=_more_threads,
        whole=True,
        minimum=1,
        maximum=256,
    ),
    Parameter(
        "load",
        "what the threads are busy with: user space, or long system calls",
        quick=("spin",),
        full=_where_common("load", ("spin", "syscall")),
        choices=("spin", "syscall"),
    ),
    Parameter(
        "nested",
        "whether the group is below another, and which of the two has the larger quota",
        quick=("none",),
        full=_where_common("nested", ("none", "looser", "tighter")),
        choices=("none", "looser", "tighter"),
    ),
    Parameter(
        "burst",
        "unused time that may be used later, as a share of the quota",
        quick=(0.0,),
        full=_where_common("burst", (0.0, 1.0)),
        unit="1",
        maximum=1,
    ),
    Parameter(
        "periods",
        "periods in one sample",
        quick=_quick_periods,
        full=_enough_periods,
        whole=True,
        minimum=1,
        maximum=100_000,
    ),
    Parameter(
        "start",
        "whether a sample goes from a period's edge to another, or from the moment of the limit",
        quick=_start,
        full=_start,
        choices=("edge", "fresh"),
    ),
)
