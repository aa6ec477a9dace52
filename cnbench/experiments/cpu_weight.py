"""cpu-weight: how exactly does the kernel divide one CPU between groups of unequal weight?

Two groups have threads that never stop, all of them on the same CPU, so that one group's time is
the other's loss. The heavier group is to have ``ratio`` times what the lighter one has, however
many threads each has. What else runs on that CPU takes from both alike.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from cnbench.core.experiment import Experiment, never_soon_counted
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal, true
from cnbench.experiments.cgroup import controller
from cnbench.experiments.cpu_quota.grid import cgroup_of
from cnbench.lab.cgroups.cpu import IDLE_WEIGHT, CpuGroup, require_controller
from cnbench.lab.cgroups.hierarchies import Version
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.probes.spinners import Spinners, open_spinners

# Threads that were stopped come with no share of the past; some turns of each pass first.
_SETTLE = 0.1
_LIGHT = {"default": 1.0, "idle": IDLE_WEIGHT}


@dataclass(frozen=True)
class Contender:
    """A group, and what keeps it busy."""

    group: CpuGroup
    spinners: Spinners
    weight: float


@dataclass
class WeightSubject:
    """Two groups on one CPU."""

    heavy: Contender
    light: Contender
    cpu: int
    clock: Clock
    seconds: float
    _used: float = 0

    def sample(self) -> Mapping[str, float]:
        """The error of the heavier group's share, and the longest stall of the lighter one."""
        with self.heavy.spinners.running(), self.light.spinners.running():
            time.sleep(_SETTLE)
            self.light.spinners.watch()
            before = self._usage()
            time.sleep(self.seconds)
            after = self._usage()
            longest_gap = self.light.spinners.longest_gap()
        heavy, light = (now - then for now, then in zip(after, before, strict=True))
        self._used += heavy + light
        wanted = self.heavy.weight / (self.heavy.weight + self.light.weight)
        return {
            "error": heavy / (heavy + light) / wanted - 1,
            "light_error": light / (heavy + light) / (1 - wanted) - 1,
            "stall": self.clock.units(longest_gap),
        }

    def _usage(self) -> tuple[float, float]:
        return self.heavy.group.account().usage, self.light.group.account().usage

    def proof(self) -> Proof:
        """The threads are in their groups and on one CPU, and the kernel has the weights."""
        contenders = (self.heavy, self.light)
        allowed = [
            os.sched_getaffinity(pid) for contender in contenders for pid in contender.spinners.pids
        ]
        return Proof(
            (
                equal(
                    "weights read back, 1 being the default",
                    [contender.weight for contender in contenders],
                    [contender.group.read_weight() for contender in contenders],
                ),
                equal(
                    "the groups' processes",
                    [sorted(contender.spinners.pids) for contender in contenders],
                    [sorted(contender.group.members()) for contender in contenders],
                ),
                equal("the CPUs that any of them may use", {self.cpu}, set().union(*allowed)),
                true("both together used the CPU", f"{self._used:.2f} s", self._used > 0),
            )
        )


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[WeightSubject]:
    """Two groups with busy threads on the last CPU, the one of the default weight, paused."""
    cpu = max(os.sched_getaffinity(0))
    with contextlib.ExitStack() as stack:

        def contender(weight: float) -> Contender:
            group = stack.enter_context(lab.cpu_group(cast(Version, params["controller"])))
            if weight == IDLE_WEIGHT:
                group.idle()
            else:
                group.weigh(weight)
            spinners = stack.enter_context(open_spinners(params.whole("threads"), group))
            for pid in spinners.pids:
                os.sched_setaffinity(pid, {cpu})
            return Contender(group, spinners, weight)

        heavy, light = contender(params.number("ratio")), contender(_LIGHT[params.text("light")])
        yield WeightSubject(heavy, light, cpu, lab.clock, params.number("time"))


def _require(params: Point, lab: Lab) -> None:
    require_controller(params.text("controller"))
    lab.require_cpu_group(params.text("controller"))


EXPERIMENT = Experiment(
    name="cpu-weight",
    question="How exactly does the kernel divide a CPU between groups of unequal weight?",
    parameters=(
        controller("the version of the cgroup interface: cpu.shares or cpu.weight"),
        Parameter(
            "ratio",
            "the heavier group's weight over the default",
            quick=(1, 10),
            full=(1, 2, 3, 10, 30, 100),
            whole=True,
            minimum=1,
            # cpu.weight goes up to 10000, a hundred times its default.
            maximum=100,
        ),
        Parameter(
            "light",
            "the lighter group: of the default weight, or idle (cpu.idle)",
            quick=("default",),
            full=("default", "idle"),
            choices=("default", "idle"),
        ),
        Parameter(
            "threads",
            "busy threads in each group",
            quick=(1,),
            full=(1, 4),
            whole=True,
            minimum=1,
            maximum=64,
        ),
        Parameter(
            "time",
            "length of a sample",
            quick=(0.5,),
            full=(2.0,),
            unit="s",
            minimum=0.01,
            maximum=600,
        ),
    ),
    metrics=(
        Metric("error", "1", "zero", "additive", "the heavier group's share over its due, less 1"),
        Metric(
            "light_error", "1", "zero", "additive", "the lighter group's share over its due, less 1"
        ),
        Metric(
            "stall",
            "s",
            "lower",
            "ratio",
            "longest time the lighter group was off the CPU",
            elapsed=True,
        ),
    ),
    variant="controller",
    beside=("ratio",),
    subject=open_subject,
    require=_require,
    cgroup=cgroup_of,
    soon=never_soon_counted,
)
