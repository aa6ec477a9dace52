"""cgroup-scale: what do making, entering, asking and removing a group cost, the more there are?

Groups of one controller are made side by side, the lowest of so many levels. A process is moved
through them, the statistics of each are read once, and all are removed, with nobody and nothing
charged in them. From a thousand groups on the kernel's own count of its memory says what one takes.

A group's set of controllers is made for the first process that comes (``move``) and shared with the
next (``join``). Where the process leaves page cache behind, the removed groups go on being charged
for it, and the kernel keeps them until it is given back (``dying``): Linux 6.12 does, and 7.2 hands
it to the group above.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal, true
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
_MOST_MOVES = 4
# In which the kernel is through with removed groups that nothing is left of, in seconds.
_AFTER_REMOVAL = 0.3
# What is left in a group, in bytes.
_CACHED = 2**16


@dataclass
class ScaleSubject:
    """A group below which others are made in every sample, and a process that visits them."""

    lab: Lab
    top: Cgroup
    home: Cgroup
    tenant: Tenant
    second: Tenant
    groups: int
    statistics: str
    cache: Path | None
    made: int = 0
    seen: int = 0
    visited: int = 0
    visits: int = 0
    charged: int = 0
    left: int = 0
    most_left: int = 0

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
        move = join = 0.0
        for folder in visits:
            move += self._each([folder], lambda folder: self._enter(folder, self.tenant))
            join += self._each([folder], lambda folder: self._enter(folder, self.second))
            self.visited += self._is_in(folder)
            self._leave_cache(folder)
        self.visits += len(visits)
        stat = self._each(folders, lambda folder: (folder / self.statistics).read_bytes())
        for tenant in (self.tenant, self.second):
            self.home.add(tenant.pid)
        remove = self._each(folders, Path.rmdir)
        self.left += sum(1 for path in self.top.folder.iterdir() if path.is_dir())
        values = {"create": create, "move": move / len(visits), "join": join / len(visits),
                  "stat": stat, "remove": remove}  # fmt: skip
        if self.groups >= _FEWEST_TO_WEIGH:
            values["memory"] = weight / self.groups
        return values | ({"dying": self._dying(len(visits))} if self.cache else {})

    def _each(self, folders: list[Path], do: Callable[[Path], object]) -> float:
        def all_of_them() -> None:
            for folder in folders:
                do(folder)

        ticks, _ = self.lab.clock.timed(all_of_them)
        return self.lab.clock.units(ticks) / len(folders)

    @staticmethod
    def _enter(folder: Path, tenant: Tenant) -> None:
        (folder / "cgroup.procs").write_text(str(tenant.pid))

    def _is_in(self, folder: Path) -> bool:
        inside = sorted(map(int, (folder / "cgroup.procs").read_text().split()))
        return inside == sorted([self.tenant.pid, self.second.pid])

    def _leave_cache(self, folder: Path) -> None:
        """Have the process write a file, whose pages its group is charged for."""
        if self.cache:
            self.tenant.do("fill", str(self.cache / folder.name), _CACHED)
            # Not memory.stat, which the kernel brings up to date later.
            self.charged += int((folder / "memory.current").read_text()) >= _CACHED

    def _dying(self, removed: int) -> float:
        """Which share of the removed groups is kept, once those of which nothing is left are gone.

        The kernel's number has the few that a processor's last charges held until now, of removals
        before: all that were removed just now are the most that is said of these.
        """
        time.sleep(_AFTER_REMOVAL)
        kept = self.top.table("cgroup.stat")["nr_dying_descendants"]
        for file in (self.cache or self.top.folder).glob("group-*"):
            file.unlink()
        time.sleep(_AFTER_REMOVAL)
        after = self.top.table("cgroup.stat")["nr_dying_descendants"]
        self.most_left = max(after, self.most_left)
        return min(kept, removed) / removed

    def proof(self) -> Proof:
        """The groups were there, the processes were in those they were moved to, none is left."""
        checks = [
            equal("groups seen", self.made or "some", self.seen),
            equal("groups that had both processes", self.visits, self.visited),
            equal("groups left", 0, self.left),
        ]
        if self.cache:
            checks.append(equal("groups charged for page cache", self.visits, self.charged))
            # Each processor keeps the change of the last charges: of pages of one group, and of
            # objects of one (memcg_stock_pcp in mm/memcontrol.c: cached, cached_objcg).
            few = self.most_left <= 2 * (os.cpu_count() or 1)
            checks.append(true("hardly any kept once it was given back", self.most_left, few))
        return Proof(tuple(checks))


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
        tenant, second = (stack.enter_context(open_tenant(home)) for _ in range(2))
        cache = lab.temporary_folder() if params.text("left") == "cache" else None
        yield ScaleSubject(
            lab,
            top,
            home,
            tenant,
            second,
            params.whole("groups"),
            _STATISTICS[controller][version],
            cache,
        )


def _require(params: Point, lab: Lab) -> None:
    hierarchies.require(params.text("subsystem"), params.text("controller"))


def _left(params: Point) -> tuple[str, ...]:
    return ("cache",) if params["controller"] == "v2" else ("nothing",)


def _nonsense(params: Point) -> str:
    if params.text("left") == "cache" and params.text("subsystem") != "memory":
        return "page cache is charged to groups of the memory controller"
    if params.text("left") == "cache" and params.text("controller") == "v1":
        return "v1 does not tell of removed groups that are kept"
    return ""


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
        Parameter(
            "left", "what the process leaves in the groups it was in", quick=_left,
            full=("nothing", "cache"), choices=("nothing", "cache"),
        ),
    ),
    metrics=(
        Metric("create", "s", "lower", "ratio", "cost of making a group"),
        Metric("move", "s", "lower", "ratio", "cost of moving a process to the next group"),
        Metric("join", "s", "lower", "ratio", "cost of moving a second process to it"),
        Metric("stat", "s", "lower", "ratio", "cost of reading a group's statistics"),
        Metric("remove", "s", "lower", "ratio", "cost of removing a group"),
        Metric("memory", "B", "lower", "additive", "the kernel's memory for a group"),
        Metric("dying", "1", "lower", "additive",
               "share of the removed groups that are kept", share=True),
    ),
    variant="controller",
    subject=open_subject,
    require=_require,
    nonsense=_nonsense,
    share=0.3,
)  # fmt: skip
