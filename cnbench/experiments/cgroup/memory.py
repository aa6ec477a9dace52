"""cgroup-memory: how exactly is a memory limit held, and what does being accounted cost?

A process of its own touches one page after another in a group with a limit until the kernel kills
it. It notes on a shared board how many pages it has and when it began with the last, so that the
board tells how near the limit it came (``error``) and how long the notice of its end took
(``notice``). The kernel charges in batches and accounts its own page tables, which is why it never
gets to all of the limit. What being charged costs is the same system call (mmap with MAP_POPULATE)
in the limited group and outside, one after the other.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal, true
from cnbench.experiments.cpu_quota.grid import CONTROLLER
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.cgroups.group import Group
from cnbench.lab.cgroups.oom import OomNotices, oom_kills, open_oom_notices
from cnbench.lab.host import Lab
from cnbench.probes.tenants import Tenant, open_tenant

_PAGE = mmap.PAGESIZE
# The limit and the most that was charged, by version; v2's peak came with Linux 5.19.
_FILES = {
    "v1": ("memory.limit_in_bytes", "memory.max_usage_in_bytes"),
    "v2": ("memory.max", "memory.peak"),
}


@dataclass
class MemorySubject:
    """A group with a limit, and processes that go beyond it."""

    lab: Lab
    group: Group
    notices: OomNotices
    inside: Tenant
    outside: Tenant
    limit: int
    board: int
    killed: int = 0
    peaks: set[int] = field(default_factory=set)

    def sample(self) -> Mapping[str, float]:
        """How near the limit a process came, how long its notice took, and charging's cost."""
        pages = self.limit // _PAGE // 2
        outside = self.outside.do("populate", pages)
        inside = self.inside.do("populate", pages)
        touched, noticed = self._exceed()
        return {
            "error": touched * _PAGE / self.limit - 1,
            "notice": self.lab.clock.units(noticed),
            "charge": self.lab.clock.units(inside) / pages,
            "uncharged": self.lab.clock.units(outside) / pages,
        }

    def _exceed(self) -> tuple[int, int]:
        """Pages that a process got, and the ticks from the fatal touch to the notice."""
        counts = memoryview(mmap.mmap(self.board, 0)).cast("q")
        with open_tenant(self.group, pass_fds=[self.board]) as victim:
            # Of all in the group the kernel is to choose this one.
            with open(f"/proc/{victim.pid}/oom_score_adj", "w") as score:  # noqa: PTH123
                score.write("1000")
            self.notices.forget()
            with self.lab.timed.part():
                victim.start("touch", self.board, 2 * self.limit // _PAGE)
                noticed = self.notices.wait()
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, victim.pid, os.WEXITED | os.WNOWAIT)
        self.killed += 1
        if self.group.has(_FILES[self.group.version][1]):
            self.peaks.add(self.group.number(_FILES[self.group.version][1]))
        return counts[0], noticed - counts[1]

    def proof(self) -> Proof:
        """The limit is as set and was never passed, and the kernel killed once a sample."""
        name, peak = _FILES[self.group.version]
        checks = [
            equal("limit read back", self.limit, self.group.number(name)),
            equal(
                "processes killed for want of memory", self.killed or "some", oom_kills(self.group)
            ),
        ]
        if self.peaks:
            checks.append(
                true(f"{peak} never above the limit", self.peaks, max(self.peaks) <= self.limit)
            )
        return Proof(tuple(checks))


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[MemorySubject]:
    """A group with the limit, and a process inside and one outside for charging's cost."""
    with contextlib.ExitStack() as stack:
        group = stack.enter_context(lab.cgroup("memory", params.text("controller")))
        limit = params.whole("limit")
        group.write(_FILES[group.version][0], limit)
        board = os.memfd_create("cnbench-board")
        stack.callback(os.close, board)
        os.ftruncate(board, _PAGE)
        mmap.mmap(board, 0)[:8] = bytes(8)  # has the page there, charged to nobody of ours
        notices = stack.enter_context(open_oom_notices(group))
        inside = stack.enter_context(open_tenant(group))
        outside = stack.enter_context(open_tenant())
        yield MemorySubject(lab, group, notices, inside, outside, limit, board)


def _require(params: Point, lab: Lab) -> None:
    hierarchies.require("memory", params.text("controller"))


EXPERIMENT = Experiment(
    name="cgroup-memory",
    question="How exactly is a memory limit held, and what does being accounted cost?",
    parameters=(
        replace(CONTROLLER, summary="the version of the cgroup interface"),
        Parameter(
            "limit",
            "the group's memory limit",
            quick=(16 * 2**20,),
            full=(16 * 2**20, 64 * 2**20, 256 * 2**20),
            unit="B",
            whole=True,
            minimum=2 * 2**20,
            maximum=2**33,
        ),
    ),
    metrics=(
        Metric(
            "error", "1", "zero", "additive", "memory a process got over the limit, less 1"
        ),
        Metric(
            "notice", "s", "lower", "ratio", "time from the fatal page to the notice of it",
            elapsed=True,
        ),
        Metric("charge", "s", "lower", "ratio", "cost of a page in the limited group"),
        Metric("uncharged", "s", "lower", "ratio", "cost of a page outside of it"),
    ),
    variant="controller",
    subject=open_subject,
    require=_require,
    share=0.4,
)  # fmt: skip
