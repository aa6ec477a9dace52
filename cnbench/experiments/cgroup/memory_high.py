"""cgroup-memory-high: how long is a process held back that grows beyond memory.high?

Above ``memory.high`` nothing is refused and nobody killed: the kernel has the process sleep on its
way back from a charge, the longer the further it is above (calculate_high_delay in
mm/memcontrol.c). A process first grows to the limit and is then timed over the pages beyond it,
which are anonymous on a machine without swap, so that nothing can be reclaimed. ``error`` holds the
time against the kernel's own formula.
"""

from __future__ import annotations

import contextlib
import mmap
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cnbench.core.errors import UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal, true
from cnbench.experiments.cgroup import controller
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.probes.tenants import Tenant, open_tenant

# MEMCG_CHARGE_BATCH of linux/memcontrol.h, in bytes.
_BATCH = 64 * mmap.PAGESIZE
_LONGEST, _SHORTEST = 2.0, 0.01


def delay(high: int, above: int) -> float:
    """Seconds that the charge of one batch is held back at ``above`` bytes over ``high``.

    The square of the overage times 2**(20 - 14) (MEMCG_DELAY_PRECISION_SHIFT and _SCALING_SHIFT in
    mm/memcontrol.c); not more than two seconds, and nothing below a hundredth.
    """
    seconds = (above / high) ** 2 * 2**6
    return 0.0 if seconds <= _SHORTEST else min(_LONGEST, seconds)


def expected_delay(high: int, excess: int) -> float:
    """Seconds that growing by ``excess`` bytes beyond ``high`` takes, batch by batch."""
    return sum(delay(high, above) for above in range(_BATCH, excess + 1, _BATCH))


@dataclass
class HighSubject:
    """A group with ``memory.high`` and a process that grows beyond it."""

    group: Cgroup
    tenant: Tenant
    clock: Clock
    high: int
    excess: int
    samples: int = 0
    events: int = 0
    took: list[float] = field(default_factory=list)

    def sample(self) -> Mapping[str, float]:
        """How long the growth took, and how far that is from the formula."""
        before = self.group.table("memory.events")["high"]
        room = self.high - self.group.number("memory.current")
        took = self.tenant.do("grow", room // mmap.PAGESIZE, self.excess // mmap.PAGESIZE)
        self.events += self.group.table("memory.events")["high"] - before
        self.samples += 1
        self.took.append(took / 1e9)
        expected = expected_delay(self.high, self.excess)
        return {"throttle": self.clock.units(took), "error": took / 1e9 / expected - 1}

    def proof(self) -> Proof:
        """The limit is as set, was passed, and nobody was killed for it."""
        events = self.group.table("memory.events")
        # What is charged is known to a batch, before the growth and after it.
        least, most = (
            expected_delay(self.high, self.excess + batches * _BATCH) for batches in (-2, 2)
        )
        median = statistics.median(self.took) if self.took else 0.0
        return Proof(
            (
                equal("memory.high read back", self.high, self.group.number("memory.high")),
                true("charges above it", self.events, self.events >= max(1, self.samples)),
                true(
                    f"held back from {least:.2f} to {most:.2f} s by the kernel's formula",
                    f"{median:.2f} s",
                    least <= median <= most,
                ),
                equal("processes killed", 0, events["oom_kill"]),
                equal("the group's only process", [self.tenant.pid], self.group.members()),
            )
        )


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[HighSubject]:
    """The group with its limit, and the process."""
    with (
        lab.cgroup("memory", params.text("controller")) as group,
        open_tenant(group) as tenant,
    ):
        high = params.whole("high")
        group.write("memory.high", high)
        yield HighSubject(group, tenant, lab.clock, high, params.whole("excess"))


def _require(params: Point, lab: Lab) -> None:
    if hierarchies.require("memory", params.text("controller")).version == "v1":
        raise UnsupportedError(
            "cgroup v1 has no memory.high", "the guest lab has cgroup v2: --lab guest"
        )


def _nonsense(params: Point) -> str:
    if expected_delay(params.whole("high"), params.whole("excess")) <= 0:
        return "so little above so much is not held back at all"
    return ""


EXPERIMENT = Experiment(
    name="cgroup-memory-high",
    question="How long is a process held back that grows beyond memory.high?",
    parameters=(
        controller("v2; v1 has no such limit", alone="v2"),
        Parameter(
            "high", "the limit beyond which the kernel slows a group down", quick=(30 * 2**20,),
            full=(30 * 2**20,), unit="B", whole=True, minimum=2**20, maximum=2**33,
        ),
        Parameter(
            "excess", "memory beyond the limit that the process takes", quick=(2 * 2**20,),
            full=(2 * 2**20, 4 * 2**20, 6 * 2**20), unit="B", whole=True, minimum=_BATCH,
            maximum=2**30,
        ),
    ),
    metrics=(
        Metric("throttle", "s", "lower", "ratio", "time that the growth took", elapsed=True),
        Metric("error", "1", "zero", "additive", "that time over the kernel's formula, less 1"),
    ),
    variant="controller",
    subject=open_subject,
    require=_require,
    nonsense=_nonsense,
    share=0.3,
)  # fmt: skip
