"""cgroup-cpuset: what does it cost to move a busy thread to another CPU, and when does it land?

A process stays busy and notes on a shared board since when it is on which CPU. First the mask of
its group is changed (``change`` is the write, ``land`` lasts from its beginning until the thread
runs where the mask says), then the process is moved to a group whose mask is the other CPU
(``move``). On a machine with one CPU both masks are that CPU, and nothing lands.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Point
from cnbench.core.proof import Check, Proof, equal
from cnbench.experiments.cgroup import CONTROLLER, having
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until
from cnbench.probes.tenants import Tenant, open_tenant

_PATIENCE = 10.0
# Of a thread that is busy until it is told.
_MOST_NS = 60_000_000_000


@dataclass
class CpusetSubject:
    """Two groups with a CPU each, and a process that is in the first."""

    first: Cgroup
    second: Cgroup
    cpus: tuple[int, int]
    tenant: Tenant
    board: memoryview
    descriptor: int
    clock: Clock
    landed: dict[int, int] = field(default_factory=dict)
    allowed: set[tuple[int, ...]] = field(default_factory=set)

    def sample(self) -> Mapping[str, float]:
        """The cost of the change and of the move, and how long until the thread landed."""
        here, there = self.cpus
        self.board[0], self.board[2] = -1, False
        self.tenant.start("cpus", _MOST_NS, self.descriptor)
        self._wait_for(here)
        began = self.clock.ticks()
        self.first.write("cpuset.cpus", there)
        change = self.clock.ticks() - began
        landing = self._wait_for(there) - began
        self.allowed.add(tuple(os.sched_getaffinity(self.tenant.pid)))
        self.first.write("cpuset.cpus", here)
        self._wait_for(here)
        began = self.clock.ticks()
        self.second.add(self.tenant.pid)
        move = self.clock.ticks() - began
        self._wait_for(there)
        self.board[2] = True
        self.tenant.finish()
        self.first.add(self.tenant.pid)
        units = self.clock.units
        values = {"move": units(move), "change": units(change)}
        return values if here == there else values | {"land": units(landing)}

    def _wait_for(self, cpu: int) -> int:
        """Wait until the busy thread is on ``cpu``; since when it is, in ticks."""
        wait_until(
            lambda: self.board[0] == cpu, f"the thread is not on CPU {cpu}",
            within=_PATIENCE, every=0.0002,
        )  # fmt: skip
        self.landed[cpu] = self.landed.get(cpu, 0) + 1
        return self.board[1]

    def proof(self) -> Proof:
        """The masks are as set, and the thread was only allowed, and did run, where they say."""
        here, there = self.cpus
        checks: list[Check] = [
            equal("the groups' CPUs", [str(here), str(there)],
                  [group.read("cpuset.cpus").strip() for group in (self.first, self.second)]),
            equal("CPUs allowed after the change", {(there,)}, self.allowed),
            equal("landings on both CPUs", 0, self.landed.get(here, 1) % 2),
            equal("where the process is now", [self.tenant.pid], self.first.members()),
        ]  # fmt: skip
        return Proof(tuple(checks))


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[CpusetSubject]:
    """The two groups, on the first and the last CPU."""
    version = params.text("controller")
    usable = sorted(os.sched_getaffinity(0))
    cpus = (usable[0], usable[-1])
    with contextlib.ExitStack() as stack:
        groups = [stack.enter_context(lab.cgroup("cpuset", version)) for _ in cpus]
        for group, cpu in zip(groups, cpus, strict=True):
            group.write("cpuset.cpus", cpu)
        descriptor = os.memfd_create("cnbench-board")
        stack.callback(os.close, descriptor)
        os.ftruncate(descriptor, mmap.PAGESIZE)
        board = memoryview(mmap.mmap(descriptor, 0)).cast("q")
        tenant = stack.enter_context(open_tenant(groups[0], pass_fds=[descriptor]))
        yield CpusetSubject(groups[0], groups[1], cpus, tenant, board, descriptor, lab.clock)


EXPERIMENT = Experiment(
    name="cgroup-cpuset",
    question="What does moving a busy thread to another CPU cost, and when does it land?",
    parameters=(
        CONTROLLER,
    ),
    metrics=(
        Metric("move", "s", "lower", "ratio", "cost of moving the process to the other group"),
        Metric("change", "s", "lower", "ratio", "cost of changing the group's mask"),
        Metric(
            "land", "s", "lower", "ratio", "time from the change until the thread runs there",
            elapsed=True,
        ),
    ),
    variant="controller",
    subject=open_subject,
    require=having("cpuset"),
    share=0.3,
)  # fmt: skip
