"""cgroup-freezer: how long until a group stands still, and until it runs again?

From the write to the kernel's own word that all of it is frozen (v1 says FREEZING meanwhile). That
it is so the members show, who count on a shared board whenever they run. A process that is killed
while it is frozen dies at once on v2; on v1 only once it is thawed, from when ``kill`` then counts.
Under a quota the members are busy, and the write comes when the group has just been throttled: who
is to freeze may then have to be let run first (``wait`` counts that, too).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import cast

from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal, true
from cnbench.experiments.cgroup import CONTROLLER
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.cgroups.cpu import CpuGroup, require_controller
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.cgroups.hierarchies import Version
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until
from cnbench.probes.tenants import Tenant, open_tenant

_PATIENCE = 30.0
# In which the members would count several times if they ran.
_LOOK = 0.01
# How often a sample freezes and thaws, of which the least counts. All have to be let run for it, so
# that on a busy machine it takes as long as whoever else wants a processor has it, which only adds:
# times of ten members were between 0.15 and 400 ms there, medians of five between 0.2 and 28 ms.
# Under a quota that is what is asked for, and the median counts.
_TURNS, _TURNS_UNDER_QUOTA = 15, 5
# In so many of them it is looked whether nobody counts, and one is killed.
_LOOKS = 3
# Between two questions for its state, in seconds. Who asked without a rest would keep a processor
# from those who have to run: of two processors that made 1.0 ms of v2's 0.27.
_REST = 1e-6
# Between two counts of a member, in seconds, and the period of a quota.
_PAUSE = 0.001
_PERIOD = 0.1


@dataclass
class FreezerSubject:
    """A tree of groups, one in another, with members in the lowest that count."""

    groups: Sequence[Cgroup]
    tenant: Tenant
    members: int
    counts: memoryview
    clock: Clock
    quota: CpuGroup | None = None
    samples: int = 0
    throttled: int = 0
    stood_still: int = 0
    died_frozen: int = 0

    def sample(self) -> Mapping[str, float]:
        """The time to freeze, to thaw, and to kill one that is frozen."""
        if self.quota:
            throttled = [self._once() for _ in range(_TURNS_UNDER_QUOTA)]
            return {name: median(turn[name] for turn in throttled) for name in throttled[0]}
        looked_at = [self._once() for _ in range(_LOOKS)]
        turns = [*looked_at, *(self._again() for _ in range(_TURNS - _LOOKS))]
        killed = min(turn["kill"] for turn in looked_at)
        return {name: min(turn[name] for turn in turns) for name in turns[-1]} | {"kill": killed}

    def _again(self) -> Mapping[str, float]:
        """The time to freeze and to thaw alone."""
        before = list(self.counts)
        freeze, _ = self.clock.timed(lambda: self._set(True))
        thaw, _ = self.clock.timed(lambda: self._set(False))
        self._wait_until_all_count(before)
        return {"freeze": self.clock.units(freeze), "thaw": self.clock.units(thaw)}

    def _once(self) -> Mapping[str, float]:
        victim = self.tenant.do("sleeper")
        end = os.pidfd_open(victim)
        try:
            before = list(self.counts)
            self._wait_until_throttled()
            began = self.clock.ticks()
            freeze, _ = self.clock.timed(lambda: self._set(True))
            wait = self.clock.ticks() - began
            self.stood_still += self._look()
            began = self.clock.ticks()
            os.kill(victim, signal.SIGKILL)
            self.died_frozen += _ends(end, _LOOK if self._thaw_kills else _PATIENCE)
            killed = self.clock.ticks() - began
            began = self.clock.ticks()
            thaw, _ = self.clock.timed(lambda: self._set(False))
            if self._thaw_kills:
                _ends(end, _PATIENCE)
                killed = self.clock.ticks() - began
        finally:
            os.close(end)
        self.tenant.do("reap", victim)
        self._wait_until_all_count(before)
        self.samples += 1
        units = self.clock.units
        values = {"freeze": units(freeze), "thaw": units(thaw), "kill": units(killed)}
        return values | ({"wait": units(wait)} if self.quota else {})

    def _wait_until_throttled(self) -> None:
        if quota := self.quota:
            before = quota.account().throttled
            wait_until(
                lambda: quota.account().throttled > before, "the group is not throttled",
                within=_PATIENCE, every=0.0005,
            )  # fmt: skip
            self.throttled += 1

    @property
    def _thaw_kills(self) -> bool:
        return self.groups[0].version == "v1"

    def _set(self, frozen: bool) -> None:
        """Freeze or thaw, and wait until the kernel says that it has."""
        top = self.groups[0]
        if top.version == "v1":
            word = "FROZEN" if frozen else "THAWED"
            top.write("freezer.state", word)
            self._wait(lambda: top.read("freezer.state").strip() == word)
        else:
            top.write("cgroup.freeze", int(frozen))
            self._wait(lambda: top.table("cgroup.events")["frozen"] == frozen)

    @staticmethod
    def _wait(done: Callable[[], bool]) -> None:
        wait_until(done, "the group is not in its state", within=_PATIENCE, every=_REST)

    def _look(self) -> bool:
        """Whether nobody counts now."""
        before = list(self.counts)
        time.sleep(_LOOK)
        return list(self.counts) == before

    def _wait_until_all_count(self, before: Sequence[int]) -> None:
        self._wait(lambda: all(a != b for a, b in zip(before, self.counts, strict=True)))

    def proof(self) -> Proof:
        """The members are in the group, stood still when it was frozen, and counted after."""
        died = self.samples if self.groups[0].version == "v2" else 0
        return Proof(
            (
                equal("processes in the lowest group", self.members + 1,
                      len(self.groups[-1].members())),
                equal("times that nobody counted while frozen", self.samples or "some",
                      self.stood_still),
                equal("killed ones that died while frozen", died, self.died_frozen),
                true("members counted", sum(self.counts), min(self.counts) > 0),
                equal("times that the quota had held the group before",
                      self.samples if self.quota else 0, self.throttled),
            )
        )  # fmt: skip


def _ends(process: int, seconds: float) -> bool:
    """Whether the process behind a descriptor ends in that time."""
    return bool(select.select([process], [], [], seconds)[0])


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[FreezerSubject]:
    """The groups, with as many members as asked for."""
    members = params.whole("tasks")
    with contextlib.ExitStack() as stack:
        quota = stack.enter_context(_open_quota(params, lab))
        groups = [*_groups(params, lab, stack, quota)]
        board = os.memfd_create("cnbench-board")
        stack.callback(os.close, board)
        os.ftruncate(board, -(-members * 8 // mmap.PAGESIZE) * mmap.PAGESIZE)
        counts = memoryview(mmap.mmap(board, 0)).cast("q")[:members]
        tenant = stack.enter_context(open_tenant(groups[-1], pass_fds=[board]))
        if quota and quota.version == "v1":
            quota.add(tenant.pid)
        tenant.do("multiply", members, board, 0 if quota else _PAUSE)
        subject = FreezerSubject(groups, tenant, members, counts, lab.clock, quota)
        subject._wait_until_all_count([0] * members)
        yield subject


@contextlib.contextmanager
def _open_quota(params: Point, lab: Lab) -> Iterator[CpuGroup | None]:
    share = params.number("quota")
    if not share:
        yield None
        return
    with lab.cpu_group(cast(Version, params.text("controller"))) as group:
        group.limit(share, _PERIOD)
        yield group


def _groups(
    params: Point, lab: Lab, stack: contextlib.ExitStack, quota: CpuGroup | None
) -> Iterator[Cgroup]:
    """The groups, the first of which is frozen; on v2 the one that has a quota is that one."""
    version = params.text("controller")
    if quota and version == "v2":
        yield Cgroup(quota.folder, hierarchies.require("freezer", version))
        return
    above = None
    for _ in range(params.whole("depth")):
        above = stack.enter_context(lab.cgroup("freezer", version, above))
        yield above


def _require(params: Point, lab: Lab) -> None:
    hierarchies.require("freezer", params.text("controller"))
    if params.number("quota"):
        require_controller(params.text("controller"))


def _nonsense(params: Point) -> str:
    if params.number("quota") and params.whole("depth") > 1:
        return "a quota is looked at in one group"
    return ""


EXPERIMENT = Experiment(
    name="cgroup-freezer",
    question="How long until a group stands still, and until it runs again?",
    parameters=(
        CONTROLLER,
        Parameter(
            "tasks", "processes in the group", quick=(10,), full=(1, 10, 100, 1000), whole=True,
            minimum=1, maximum=10_000,
        ),
        Parameter(
            "depth", "groups in one another, of which the first is frozen", quick=(1,),
            full=(1, 16), whole=True, minimum=1, maximum=32,
        ),
        Parameter(
            "quota", "CPU time that the group may use, as a share of one CPU; 0: any", quick=(0.0,),
            full=(0.0, 0.05), unit="1", maximum=64,
        ),
    ),
    metrics=(
        Metric("freeze", "s", "lower", "ratio", "time from the write until all is frozen"),
        Metric("thaw", "s", "lower", "ratio", "time from the write until the group is thawed"),
        Metric(
            "kill", "s", "lower", "ratio",
            "time until one that was killed frozen is dead; on v1 from the thaw on",
            elapsed=True,
        ),
        Metric(
            "wait", "s", "lower", "ratio", "as freeze, with all that it waits, under a quota",
            elapsed=True,
        ),
    ),
    variant="controller",
    subject=open_subject,
    require=_require,
    nonsense=_nonsense,
    share=0.3,
)  # fmt: skip
