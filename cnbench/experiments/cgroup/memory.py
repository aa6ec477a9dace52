"""cgroup-memory: how exactly is a memory limit held, and what does being accounted cost?

A process touches one page after another in a group with a limit until the kernel kills it. The most
that the kernel had charged by then is held against the limit (``error``). On a shared board the
process notes how many pages it has, which is less, since page tables and stacks are charged too
(``usable``), and when it began with the last, from which on the notice takes its time. What being
charged costs is the same system call (mmap with MAP_POPULATE) in the limited group and outside, one
after the other.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal, true
from cnbench.experiments.cgroup import CONTROLLER, having
from cnbench.lab.cgroups.group import Cgroup
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
    group: Cgroup
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
        peak = self._charged()
        exact = {} if peak is None else {"error": peak / self.limit - 1}
        return exact | {
            "usable": touched * _PAGE / self.limit,
            "notice": self.lab.clock.units(noticed),
            "charge": self.lab.clock.units(inside) / pages,
            "uncharged": self.lab.clock.units(outside) / pages,
        }

    def _exceed(self) -> tuple[int, int]:
        """Pages that a process got, and the ticks from the fatal touch to the notice."""
        counts = memoryview(mmap.mmap(self.board, 0)).cast("q")
        self.notices.forget()
        with self.lab.timed.part():
            self.inside.start("sacrifice", self.board, 2 * self.limit // _PAGE)
            noticed = self.notices.wait()
        self.killed += self.inside.finish() == signal.SIGKILL
        return counts[0], noticed - counts[1]

    def _charged(self) -> int | None:
        """The most that was charged, and forgotten where the kernel can forget it."""
        name = _FILES[self.group.version][1]
        if not self.group.has(name):
            return None
        peak = self.group.number(name)
        self.peaks.add(peak)
        if self.group.version == "v1":
            self.group.write(name, 0)
        return peak

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
        inside = stack.enter_context(open_tenant(group, pass_fds=[board]))
        outside = stack.enter_context(open_tenant())
        yield MemorySubject(lab, group, notices, inside, outside, limit, board)


EXPERIMENT = Experiment(
    name="cgroup-memory",
    question="How exactly is a memory limit held, and what does being accounted cost?",
    parameters=(
        CONTROLLER,
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
            "error", "1", "zero", "additive", "most that was charged over the limit, less 1"
        ),
        Metric("usable", "1", "higher", "ratio", "memory a process got, as a share of the limit"),
        Metric(
            "notice", "s", "lower", "ratio", "time from the fatal page to the notice of it",
            elapsed=True,
        ),
        Metric("charge", "s", "lower", "ratio", "cost of a page in the limited group"),
        Metric("uncharged", "s", "lower", "ratio", "cost of a page outside of it"),
    ),
    variant="controller",
    subject=open_subject,
    require=having("memory"),
    share=0.3,
)  # fmt: skip
