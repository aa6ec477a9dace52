"""cgroup-accounting: is a group charged the CPU time of its process, and what does asking cost?

The kernel accounts a process by itself (/proc/PID/schedstat, in ns) and its group (cpuacct on v1,
cpu.stat of any group on v2). Over the same task both are to say the same. Reading a group's account
adds up all CPUs and, on v2, what the groups below it used.
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
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.probes.tenants import Tenant, open_tenant

# A group's account is shown in microseconds on v2.
_CLOSE = 0.001


@dataclass
class AccountingSubject:
    """A group with groups below it, a process in the lowest, and one in none."""

    group: Cgroup
    members: Cgroup
    tenant: Tenant
    stranger: Tenant
    clock: Clock
    seconds: float
    reads: int
    worst: float = 0
    samples: int = 0
    strange: float = 0

    def sample(self) -> Mapping[str, float]:
        """How far the group's account is from the process's, and what reading it costs."""
        began = self._usage()
        self.stranger.do("use_cpu", round(self.seconds * 1e9 / 4))
        before = self._usage()
        ran = self.tenant.cpu_time()
        self.tenant.do("use_cpu", round(self.seconds * 1e9))
        used = self.tenant.cpu_time() - ran
        after = self._usage()
        self.strange = max(self.strange, before - began)
        error = (after - before) / used - 1
        self.samples += 1
        self.worst = max(self.worst, abs(error))
        start = self.clock.ticks()
        for _ in range(self.reads):
            self._usage()
        return {"error": error, "read": self.clock.units(self.clock.ticks() - start) / self.reads}

    def _usage(self) -> float:
        if self.group.version == "v1":
            return self.group.number("cpuacct.usage") / 1e9
        return self.group.table("cpu.stat")["usage_usec"] / 1e6

    def proof(self) -> Proof:
        """The group was charged what its process used, and nothing of what another did."""
        return Proof(
            (
                equal("processes in the lowest group", [self.tenant.pid], self.members.members()),
                true("the accounts are 0.1 % apart at most", f"{self.worst:.4%}",
                     self.samples > 0 and self.worst < _CLOSE),
                true("nothing was charged while another process ran", f"{self.strange:.6f} s",
                     self.strange < self.seconds / 100),
            )
        )  # fmt: skip


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[AccountingSubject]:
    """The group, so many groups below it, and the processes."""
    version = params.text("controller")
    with contextlib.ExitStack() as stack:
        group = members = stack.enter_context(lab.cgroup("cpuacct", version))
        for _ in range(params.whole("groups")):
            members = stack.enter_context(lab.cgroup("cpuacct", version, group))
        tenant = stack.enter_context(open_tenant(members))
        stranger = stack.enter_context(open_tenant())
        yield AccountingSubject(group, members, tenant, stranger, lab.clock,
                                params.number("time"), params.whole("reads"))  # fmt: skip


EXPERIMENT = Experiment(
    name="cgroup-accounting",
    question="Is a group charged the CPU time its process used, and what does asking cost?",
    parameters=(
        controller("cpuacct.usage of v1, or cpu.stat of v2"),
        Parameter(
            "groups", "groups below the one that is read", quick=(0,), full=(0, 10, 100),
            whole=True, maximum=1000,
        ),
        Parameter(
            "time", "CPU time that is used in a sample", quick=(0.02,), full=(0.1,), unit="s",
            minimum=0.001, maximum=60,
        ),
        Parameter(
            "reads", "readings in one sample of their cost", quick=(200,), full=(2000,),
            whole=True, minimum=1, maximum=1_000_000,
        ),
    ),
    metrics=(
        Metric("error", "1", "zero", "additive", "the group's account over the process's, less 1"),
        Metric("read", "s", "lower", "ratio", "cost of reading the group's account"),
    ),
    variant="controller",
    subject=open_subject,
    require=having("cpuacct"),
    share=0.3,
)  # fmt: skip
