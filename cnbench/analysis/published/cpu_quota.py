"""Published figures on how exactly the kernel holds a group to its CPU quota.

All of them are of the kernel's own self-test (tools/testing/selftests/cgroup/test_cpu.c): one busy
thread, 1 ms in 100 ms, for a second. With nested groups the limit is the parent's. What decides is
the controller's arithmetic and the kernel's tick, not how fast a machine is.
"""

from __future__ import annotations

from cnbench.analysis.published.figure import Figure, FindOurs
from cnbench.analysis.published.ours import value_of
from cnbench.core.units import FRACTION

_CONDITIONS = "1 ms in 100 ms, one busy thread, for 1 s"
# With a tick of 4 ms a thread may run three quotas over before it is noticed.
_TICK = "another kernel, whose tick may be another"
_EXPECTED_US, _LEAST_US, _MOST_US = 10_000, 8_182, 12_222


def _ours(quota: float, nested: str) -> FindOurs:
    return value_of(
        "error",
        quota=quota,
        nested=nested,
        period=0.1,
        threads=1,
        load="spin",
        burst=0.0,
        periods=10,
        start="fresh",
    )


_ALONE, _NESTED = _ours(0.01, "none"), _ours(0.02, "tighter")

PUBLISHED = (
    Figure(
        "cpu-quota",
        "overshoot of a small quota",
        _CONDITIONS,
        0.029,
        0.054,
        FRACTION,
        "LKML, 2025-07-04",
        _ALONE,
        unlike=(_TICK,),
        on_any_machine=True,
    ),
    Figure(
        "cpu-quota",
        "what the kernel's own test accepts",
        f"{_CONDITIONS}; {_LEAST_US} to {_MOST_US} of {_EXPECTED_US} µs",
        _LEAST_US / _EXPECTED_US - 1,
        _MOST_US / _EXPECTED_US - 1,
        FRACTION,
        "Linux, tools/testing/selftests/cgroup/test_cpu.c",
        _ALONE,
        on_any_machine=True,
    ),
    Figure(
        "cpu-quota",
        "error of a nested group under its parent's quota",
        _CONDITIONS,
        -0.067,
        0.127,
        FRACTION,
        "LKML, 2025-07-04",
        _NESTED,
        unlike=(_TICK, "their group has no quota of its own, ours twice its parent's"),
        on_any_machine=True,
    ),
)
