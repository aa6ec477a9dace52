"""cpu-quota: how exactly does the kernel hold a group of threads to its CPU quota?

A group is given ``quota`` x ``period`` of CPU time in every period, and threads that never stop.
The time they used comes from the controller's own accounting. A period's overshoot is paid back in
the next, so a sample runs from one period edge to another, over many periods: started anywhere else
it would count a part of a period's budget that belongs to no whole period. What that hides,
``overshoot`` shows: how much more than the quota the worst of these periods took. Kernels from 6.18
on throttle a thread only when it returns to user space, so that a long system call overshoots.
(``start=fresh`` is the other way of the kernel's own test, whose figures are published.)
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import cast

from cnbench.core.errors import UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.kernels.throttling import throttling_era
from cnbench.core.metric import Metric
from cnbench.core.parameter import Point
from cnbench.experiments.cpu_quota.grid import (
    PARAMETERS,
    THROTTLED,
    cgroup_of,
    nonsense,
    soon_counted,
)
from cnbench.experiments.cpu_quota.limits import Limits
from cnbench.experiments.cpu_quota.subject import QuotaSubject, set_limits
from cnbench.lab.cgroups.cpu import require_controller
from cnbench.lab.cgroups.hierarchies import Version
from cnbench.lab.host import Lab
from cnbench.probes.spinners import open_spinners


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[QuotaSubject]:
    """Busy threads under the quota, past their first periods."""
    version = cast(Version, params["controller"])
    limits = Limits(
        params.number("quota"),
        params.number("period"),
        params.number("burst"),
        params.text("nested"),
    )
    with contextlib.ExitStack() as stack:
        parent = None
        if limits.nested != "none":
            parent = stack.enter_context(lab.cpu_group(version))
        group = stack.enter_context(lab.cpu_group(version, above=parent))
        set_limits(limits, group, parent)
        spinners = stack.enter_context(
            open_spinners(params.whole("threads"), group, params.text("load"))
        )
        binding = parent if parent and limits.nested == "tighter" else group
        yield QuotaSubject(
            group,
            binding,
            parent,
            spinners,
            lab.clock,
            limits,
            params.whole("periods"),
            fresh=params["start"] == "fresh",
        )


def _require(params: Point, lab: Lab) -> None:
    require_controller(params.text("controller"))
    cpus = len(os.sched_getaffinity(0))
    if params.number("quota") > cpus:
        raise UnsupportedError(
            f"a quota of {params.number('quota'):.0%} is never used up on {cpus} CPUs",
            "use a machine with more of them, or a smaller quota",
        )
    if params["controller"] == "v1" and params["nested"] == "tighter":
        raise UnsupportedError(
            "cgroup v1 takes no quota above the parent's, so the parent is never the tighter one",
            "use cgroup v2: --lab guest",
        )
    lab.require_cpu_group(params.text("controller"))


EXPERIMENT = Experiment(
    name="cpu-quota",
    question="How exactly does the kernel hold a group of busy threads to its CPU quota?",
    parameters=PARAMETERS,
    metrics=(
        Metric("error", "1", "zero", "additive", "CPU time used over CPU time allowed, less one"),
        THROTTLED,
        Metric(
            "stall",
            "s",
            "lower",
            "ratio",
            "longest time that a thread was kept off the CPU",
            elapsed=True,
        ),
        Metric(
            "overshoot",
            "1",
            "lower",
            "additive",
            "the worst period's time over its quota, less one",
        ),
    ),
    variant="controller",
    beside=("quota", "threads", "load", "nested", "burst"),
    subject=open_subject,
    require=_require,
    nonsense=nonsense,
    era=throttling_era,
    cgroup=cgroup_of,
    soon=soon_counted,
)
