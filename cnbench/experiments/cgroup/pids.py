"""cgroup-pids: is a fork refused exactly at the limit, and what does the counter cost a fork?

A process in the group starts others (or threads, which count alike) until the kernel refuses one.
The counter's cost is that of forks which are allowed, inside the group and outside, in turn.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cnbench.core.errors import CnbenchError
from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.cgroup import CONTROLLER, having
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until
from cnbench.probes.tenants import Tenant, open_tenant

# Two, since threads leave stacks behind, and their process is dearer to fork.
_PROCESSES = 2
_SECONDS_TO_BE_RELEASED = 1.0
_TASKS = {"processes": "fork_until_refused", "threads": "thread_until_refused"}


@dataclass
class PidsSubject:
    """A limited group, a process that fills it, and one inside and one outside that fork."""

    group: Cgroup
    filler: Tenant
    inside: Tenant
    outside: Tenant
    clock: Clock
    limit: int
    task: str
    forks: int
    samples: int = 0
    refusals: set[int] = field(default_factory=set)

    def sample(self) -> Mapping[str, float]:
        """How many more or fewer tasks than the limit there were, and what a fork cost."""
        outside = self.outside.do("fork_often", self.forks)
        inside = self.inside.do("fork_often", self.forks)
        started, refusal = self.filler.do(self.task, 2 * self.limit)
        self.samples += 1
        self.refusals.add(refusal)
        return {
            "error": (started + _PROCESSES) / self.limit - 1,
            "fork": self.clock.units(inside) / self.forks,
            "uncounted": self.clock.units(outside) / self.forks,
        }

    def proof(self) -> Proof:
        """The limit is as set, each sample was refused at it once and for that reason."""
        return Proof(
            (
                equal("limit read back", str(self.limit), self.group.read("pids.max").strip()),
                equal(
                    "refusals counted",
                    self.samples or "some",
                    self.group.table("pids.events")["max"],
                ),
                equal("errno of the refusals", {errno.EAGAIN}, self.refusals),
                equal("tasks left in the group", _PROCESSES, self._tasks_left()),
            )
        )

    def _tasks_left(self) -> int:
        """What the group counts once the kernel had time to let go of tasks that have ended.

        A thread is joined when its memory is given up (CLONE_CHILD_CLEARTID), and uncharged some
        steps later, when it is released (do_exit in kernel/exit.c, pids_release).
        """
        with contextlib.suppress(CnbenchError):
            wait_until(
                lambda: self.group.number("pids.current") == _PROCESSES,
                "tasks stay in the group",
                within=_SECONDS_TO_BE_RELEASED,
            )
        return self.group.number("pids.current")


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[PidsSubject]:
    """A group with the limit."""
    with (
        lab.cgroup("pids", params.text("controller")) as group,
        open_tenant(group) as filler,
        open_tenant(group) as inside,
        open_tenant() as outside,
    ):
        limit = params.whole("limit")
        group.write("pids.max", limit)
        task = _TASKS[params.text("tasks")]
        yield PidsSubject(
            group, filler, inside, outside, lab.clock, limit, task, params.whole("forks")
        )


EXPERIMENT = Experiment(
    name="cgroup-pids",
    question="Is a fork refused exactly at the limit, and what does the counter cost a fork?",
    parameters=(
        CONTROLLER,
        Parameter(
            "limit", "tasks the group may have", quick=(20,), full=(20, 200), whole=True,
            minimum=4, maximum=10_000,
        ),
        Parameter(
            "tasks", "what is started until it is refused", quick=("threads",),
            full=("processes", "threads"), choices=("processes", "threads"),
        ),
        Parameter(
            "forks", "forks in one sample of their cost", quick=(10,), full=(200,), whole=True,
            minimum=1, maximum=100_000,
        ),
    ),
    metrics=(
        Metric("error", "1", "zero", "additive", "tasks there were over the limit, less 1"),
        Metric("fork", "s", "lower", "ratio", "cost of a fork in the group, reaped"),
        Metric("uncounted", "s", "lower", "ratio", "cost of a fork outside of it, reaped"),
    ),
    variant="controller",
    subject=open_subject,
    require=having("pids"),
    share=0.3,
)  # fmt: skip
