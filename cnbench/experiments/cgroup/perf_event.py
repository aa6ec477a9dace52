"""cgroup-perf-event: does a counter that is filtered by cgroup see the group, and nothing else?

A software clock counts while a process of the group is on a CPU. Over a task of the process it is
to advance by the CPU time that the kernel accounts the process, and not at all while a process of
no group of ours does the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal, true
from cnbench.experiments.cgroup import controller, having
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.cgroups.perf_events import GroupClock, open_group_clock
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.probes.tenants import Tenant, open_tenant

# The process does a little more than its task, which its own account of the task leaves out; and
# it is switched to a moment before the counter is.
_CLOSE = 0.02


@dataclass
class PerfEventSubject:
    """A group's clock, a process inside and one outside."""

    group: Cgroup
    counter: GroupClock
    tenant: Tenant
    stranger: Tenant
    clock: Clock
    seconds: float
    used: float = 0
    counted: float = 0
    strange: float = 0

    def sample(self) -> Mapping[str, float]:
        """How far the counter is from the process's account; what opening and reading cost."""
        began = self.counter.seconds()
        self.stranger.do("use_cpu", round(self.seconds * 1e9 / 4))
        before = self.counter.seconds()
        ran = self.tenant.cpu_time()
        self.tenant.do("use_cpu", round(self.seconds * 1e9))
        used = self.tenant.cpu_time() - ran
        start = self.clock.ticks()
        counted = self.counter.seconds() - before
        read = self.clock.ticks() - start
        self.strange += before - began
        self.used += used
        self.counted += counted
        start = self.clock.ticks()
        with open_group_clock(self.group):
            opened = self.clock.ticks() - start
        units = self.clock.units
        return {"error": counted / used - 1, "open": units(opened), "read": units(read)}

    def proof(self) -> Proof:
        """All that the group's process used was counted, and nothing of another."""
        error = self.counted / self.used - 1 if self.used else 1
        return Proof(
            (
                equal("the group's only process", [self.tenant.pid], self.group.members()),
                true("counted what was used, within 2 %", f"{error:+.3%}", abs(error) < _CLOSE),
                equal("counted while another process ran (s)", 0.0, self.strange),
            )
        )


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[PerfEventSubject]:
    """The group, with its clock on."""
    with (
        lab.cgroup("perf_event", params.text("controller")) as group,
        open_tenant(group) as tenant,
        open_tenant() as stranger,
        open_group_clock(group) as counter,
    ):
        yield PerfEventSubject(group, counter, tenant, stranger, lab.clock, params.number("time"))


EXPERIMENT = Experiment(
    name="cgroup-perf-event",
    question="Does a counter that is filtered by cgroup see the group, and nothing else?",
    parameters=(
        controller("perf_event of v1, or any group of v2; in one of them at a time", first="v2"),
        Parameter(
            "time", "CPU time that is used in a sample", quick=(0.02,), full=(0.1,), unit="s",
            minimum=0.001, maximum=60,
        ),
    ),
    metrics=(
        Metric("error", "1", "zero", "additive", "counted time over used time, less 1"),
        Metric("open", "s", "lower", "ratio", "cost of opening a counter on every CPU"),
        Metric("read", "s", "lower", "ratio", "cost of reading it"),
    ),
    variant="controller",
    subject=open_subject,
    require=having("perf_event"),
    share=0.3,
)  # fmt: skip
