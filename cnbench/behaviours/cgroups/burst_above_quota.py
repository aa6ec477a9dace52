"""Whether a burst may exceed the quota."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour, absent
from cnbench.core.errors import CnbenchError
from cnbench.lab.host import Lab

_QUOTA_US, _PERIOD_US = 20_000, 100_000


def _probe(lab: Lab, burst: int = 2 * _QUOTA_US) -> str:
    with lab.cgroup("cpu", "v2") as group:
        if not group.has("cpu.max.burst"):
            return absent("cpu.max.burst")
        group.write("cpu.max", f"{_QUOTA_US} {_PERIOD_US}")
        try:
            group.write("cpu.max.burst", burst)
        except CnbenchError:
            return "refused"
        return f"taken: {group.read('cpu.max.burst').strip()} µs"


BEHAVIOUR = Behaviour(
    name="cgroups.burst-above-quota",
    question="May a burst be larger than the quota?",
    method=f"sets a quota of {_QUOTA_US} µs a period, and a burst of twice that",
    matters="whoever sets bursts in proportion to something else meets a refusal",
    source="kernel/sched/core.c: tg_set_cfs_bandwidth; Documentation/scheduler/sched-bwc.rst",
    probe=_probe,
    controls=(partial(_probe, burst=_QUOTA_US // 2), partial(_probe, burst=3 * _QUOTA_US)),
)
