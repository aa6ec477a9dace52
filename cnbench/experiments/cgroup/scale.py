"""cgroup-scale: what do making, entering, asking and removing a group cost, the more there are?

Groups of one controller are made side by side, the lowest of so many levels. A process is moved
through them, the statistics of each are read once, and all are removed, with nobody and nothing
charged in them. From a thousand groups on the kernel's own count of its memory says what one takes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.cgroup import CONTROLLER
from cnbench.lab import kernel_memory
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.host import Lab
from cnbench.probes.tenants import Tenant, open_tenant

_STATISTICS = {
    "memory": {"v1": "memory.stat", "v2": "memory.stat"},
    "pids": {"v1": "pids.current", "v2": "pids.current"},
    "cpuset": {"v1": "cpuset.cpus", "v2": "cpuset.cpus"},
    "freezer": {"v1": "freezer.state", "v2": "cgroup.events"},
}
# Fewer weigh less than what the machine does beside.
_FEWEST_TO_WEIGH = 1000
# Each waits for a grace period of the kernel.
_MOST_MOVES = 10


@dataclass
class ScaleSubject:
    """A group below which others are made in every sample, and a process that visits them."""

    lab: Lab
    top: Cgroup
    home: Cgroup
    tenant: Tenant
    groups: int
    statistics: str
    made: int = 0
    seen: int = 0
    visited: int = 0
    left: int = 0

    def sample(self) -> Mapping[str, float]:
        """The cost of each step a group."""
        folders = [self.top.folder / f"group-{number}" for number in range(self.groups)]
        visits = folders[:_MOST_MOVES]
        empty = kernel_memory.in_use()
        create = self._each(folders, Path.mkdir)
        weight = kernel_memory.in_use() - empty
        self.made += len(folders)
        self.seen += sum(1 for path in self.top.folder.iterdir() if path.is_dir())
        for folder in visits:
            hierarchies.inherit_cpus(folder)
        move = self._each(visits, self._visit)
        self.visited += sum(1 for folder in visits[-1:] if self._is_in(folder))
        stat = self._each(folders, lambda folder: (folder / self.statistics).read_bytes())
        self.home.add(self.tenant.pid)
        remove = self._each(folders, Path.rmdir)
        self.left += sum(1 for path in self.top.folder.iterdir() if path.is_dir())
        values = {"create": create, "move": move, "stat": stat, "remove": remove}
        if self.groups >= _FEWEST_TO_WEIGH:
            values["memory"] = weight / self.groups
        return values

    def _each(self, folders: list[Path], do: Callable[[Path], object]) -> float:
        def all_of_them() -> None:
            for folder in folders:
                do(folder)

        ticks, _ = self.lab.clock.timed(all_of_them)
        return self.lab.clock.units(ticks) / len(folders)

    def _visit(self, folder: Path) -> None:
        (folder / "cgroup.procs").write_text(str(self.tenant.pid))

    def _is_in(self, folder: Path) -> bool:
        return (folder / "cgroup.procs").read_text().split() == [str(self.tenant.pid)]

    def proof(self) -> Proof:
        """The groups were there, the process was in the last it was moved to, and none is left."""
        samples = self.made // self.groups
        return Proof(
            (
                equal("groups seen", self.made or "some", self.seen),
                equal("times the process was in the last group", samples, self.visited),
                equal("groups left", 0, self.left),
            )
        )


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[ScaleSubject]:
    """The group at the level above those that are made."""
    controller, version = params.text("subsystem"), params.text("controller")
    with contextlib.ExitStack() as stack:
        top = stack.enter_context(lab.cgroup(controller, version))
        for _ in range(params.whole("depth") - 1):
            top = stack.enter_context(lab.cgroup(controller, version, top))
        if top.version == "v2" and top.hierarchy.name:
            hierarchies.pass_on(top.folder, top.hierarchy.name)
        # On v2 a group that passes a controller on has no process of its own.
        home = stack.enter_context(lab.cgroup(controller, version))
        tenant = stack.enter_context(open_tenant(home))
        statistics = _STATISTICS[controller][version]
        yield ScaleSubject(lab, top, home, tenant, params.whole("groups"), statistics)


def _require(params: Point, lab: Lab) -> None:
    hierarchies.require(params.text("subsystem"), params.text("controller"))


EXPERIMENT = Experiment(
    name="cgroup-scale",
    question="What do making, entering, asking and removing a group cost, the more there are?",
    parameters=(
        CONTROLLER,
        Parameter(
            "subsystem", "the controller whose groups are made", quick=("memory",),
            full=("memory", "pids"), choices=tuple(_STATISTICS),
        ),
        Parameter(
            "groups", "groups side by side", quick=(50,), full=(1, 100, 1000, 10_000), whole=True,
            # The memory controller has numbers for 65535 (MEM_CGROUP_ID_MAX).
            minimum=1, maximum=100_000,
        ),
        Parameter(
            "depth", "levels of groups below the run's own", quick=(1,), full=(1, 16, 64),
            whole=True, minimum=1, maximum=64,
        ),
    ),
    metrics=(
        Metric("create", "s", "lower", "ratio", "cost of making a group"),
        Metric("move", "s", "lower", "ratio", "cost of moving a process to the next group"),
        Metric("stat", "s", "lower", "ratio", "cost of reading a group's statistics"),
        Metric("remove", "s", "lower", "ratio", "cost of removing a group"),
        Metric("memory", "B", "lower", "additive", "the kernel's memory for a group"),
    ),
    variant="controller",
    subject=open_subject,
    require=_require,
    share=0.3,
)  # fmt: skip
