"""cgroup-pressure: how soon is a program told that its group stalls for want of memory?

A program has the kernel tell it when the processes of a group have stalled for so long in so long
a time (a PSI trigger: Documentation/accounting/psi.rst). Here one grows beyond memory.high, whose
throttling is such a stall from its first moment on. ``late`` is how long after the threshold the
notice comes: the kernel looks ten times in each window.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import select
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal, true
from cnbench.experiments.cgroup import controller
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.host import Lab
from cnbench.probes.tenants import Tenant, open_tenant

_FILE = "memory.pressure"
_HIGH = 30 * 2**20
# Held back for 0.9 s by the kernel's formula (see cgroup-memory-high), from the second batch on.
_EXCESS = 2 * 2**20
_PATIENCE = 60.0
# UPDATES_PER_WINDOW of kernel/sched/psi.c.
_LOOKS = 10
# After so long what has stalled is in memory.pressure, which is brought up to date every 2 s
# (PSI_FREQ there).
_ACCOUNTED = 2.5
# To look takes a tick and some; and the first batch beyond the limit is not held back at all.
_BESIDES = 0.04


@dataclass
class PressureSubject:
    """A group, and a process that is made to stall and told of by a trigger."""

    lab: Lab
    group: Cgroup
    tenant: Tenant
    board: int
    threshold: float
    window: float
    early: int = 0
    stalls: list[float] = field(default_factory=list)
    lates: list[float] = field(default_factory=list)

    def sample(self) -> Mapping[str, float]:
        """How long after the threshold the notice came."""
        stalled = self._stalled()
        # A new one each time: another may still have to tell of what stalled in its last window.
        with open_trigger(self.group, self.threshold, self.window) as trigger:
            self.early += _told(trigger, 2 * self.window / _LOOKS)
            late = self._stall(trigger)
        self.lates.append(late)
        time.sleep(_ACCOUNTED)
        self.stalls.append(self._stalled() - stalled)
        return {"late": self.lab.clock.units(late * 1e9)}

    def _stall(self, trigger: int) -> float:
        """Have the process stall; seconds from the threshold to the notice."""
        room = _HIGH - self.group.number("memory.current")
        board = memoryview(mmap.mmap(self.board, 0)).cast("q")
        with self.lab.timed.part():
            self.tenant.start("grow", room // mmap.PAGESIZE, _EXCESS // mmap.PAGESIZE, self.board)
            if not _told(trigger, _PATIENCE):
                raise CnbenchError("the kernel did not tell that the group stalls")
            told = self.lab.clock.ticks()
        self.tenant.finish()
        return (told - board[0]) / 1e9 - self.threshold

    def _stalled(self) -> float:
        """Seconds that some process of the group has stalled, by the kernel's account."""
        some, *_ = self.group.read(_FILE).splitlines()
        return int(some.rpartition("total=")[2]) / 1e6

    def proof(self) -> Proof:
        """No notice without a stall; with one, not before the threshold, and at the next look."""
        stall, earliest = (min(values, default=-1.0) for values in (self.stalls, self.lates))
        latest = max(self.lates, default=math.inf)
        most = self.window / _LOOKS + _BESIDES
        return Proof(
            (
                equal("memory.high read back", _HIGH, self.group.number("memory.high")),
                equal("notices before a process stalled", 0, self.early),
                true(f"at least {self.threshold} s of stall accounted for", stall,
                     stall >= self.threshold),
                true("never told before the threshold", earliest, earliest >= 0),
                true(f"at the next look, {most:.3f} s later at most", latest, latest <= most),
            )
        )  # fmt: skip


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[PressureSubject]:
    """The group, its limit and trigger, and the process."""
    threshold, window = params.number("threshold"), params.number("window")
    with contextlib.ExitStack() as stack:
        group = stack.enter_context(lab.cgroup("memory", params.text("controller")))
        group.write("memory.high", _HIGH)
        with open_trigger(group, threshold, window):
            pass  # this kernel can
        board = os.memfd_create("cnbench-board")
        stack.callback(os.close, board)
        os.ftruncate(board, mmap.PAGESIZE)
        tenant = stack.enter_context(open_tenant(group, pass_fds=[board]))
        yield PressureSubject(lab, group, tenant, board, threshold, window)


@contextlib.contextmanager
def open_trigger(group: Cgroup, threshold: float, window: float) -> Iterator[int]:
    """A descriptor that has POLLPRI once some have stalled ``threshold`` seconds of ``window``."""
    line = f"some {threshold * 1e6:.0f} {window * 1e6:.0f}"
    try:
        descriptor = os.open(group.folder / _FILE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnsupportedError(
            f"this kernel accounts for no pressure: {error.strerror}",
            "boot it with psi=1, or use another: --lab guest",
        ) from error
    try:
        os.write(descriptor, line.encode() + b"\0")
        yield descriptor
    finally:
        os.close(descriptor)


def _told(trigger: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(trigger, select.POLLPRI)
    return bool(poll.poll(seconds * 1000))


def _require(params: Point, lab: Lab) -> None:
    if hierarchies.require("memory", params.text("controller")).version == "v1":
        raise UnsupportedError(
            f"cgroup v1 has no {_FILE}", "the guest lab has cgroup v2: --lab guest"
        )


def _nonsense(params: Point) -> str:
    return "no window is that short" if params.number("threshold") > params.number("window") else ""


EXPERIMENT = Experiment(
    name="cgroup-pressure",
    question="How soon is a program told that its group stalls for want of memory?",
    parameters=(
        controller("v2; v1 does not account for pressure", alone="v2"),
        Parameter(
            "threshold", "stall to be told of", quick=(0.1,), full=(0.1, 0.3), unit="s",
            minimum=0.01, maximum=0.8,
        ),
        Parameter(
            "window", "in what time", quick=(1.0,), full=(0.5, 1.0), unit="s", minimum=0.5,
            maximum=10,
        ),
    ),
    metrics=(
        Metric(
            "late", "s", "lower", "additive", "time from the threshold to the notice",
            elapsed=True,
        ),
    ),
    variant="controller",
    subject=open_subject,
    require=_require,
    nonsense=_nonsense,
    share=0.3,
)  # fmt: skip
