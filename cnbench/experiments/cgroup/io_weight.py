"""cgroup-io-weight: how exactly does BFQ divide a disk between groups of unequal weight?

Two processes write to a loop device of the lab's own as fast as they are let, past the page cache,
each in a group of its own. Only a scheduler that knows groups keeps their weights, which is BFQ
(blkio.bfq.weight of v1, io.bfq.weight of v2; the shares of CFQ went with it in Linux 5.0). It waits
for a group's next write only where it has to: by default it takes the time that a process has a
lead for, and a fast disk for one that needs no waiting. ``strict`` takes both from it
(low_latency=0, strict_guarantees=1 of Documentation/block/bfq-iosched.rst). The other promise
of io, io.latency, no kernel of Debian's has (CONFIG_BLK_CGROUP_IOLATENCY is not set, 5.10 to 7.2).
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cnbench.core.experiment import Experiment, never_soon_counted
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal, true
from cnbench.experiments.cgroup import controller
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.host import Lab
from cnbench.lab.storage import loop, scheduler
from cnbench.lab.storage.loop import LoopDevice
from cnbench.probes.tenants import Tenant, open_tenant

_SCHEDULER = "bfq"
_SETTINGS = {"strict": {"low_latency": 0, "strict_guarantees": 1}, "default": {}}
_DISK, _BLOCK = 32 * 2**20, 2**16
_LIGHT = 100  # the weight that a group has if nobody says otherwise
# Before that the two write, but it does not count.
_LEAD = 0.05


@dataclass(frozen=True)
class Writer:
    """A group, a process in it that writes, and the part of the disk it writes to."""

    group: Cgroup
    tenant: Tenant
    weight: int
    first: int

    def start(self, disk: LoopDevice, began: int, ended: int) -> None:
        """Write between two readings of the clock."""
        part = (self.first, _DISK // 2)
        self.tenant.start("write_between", str(disk.path), _BLOCK, *part, began, ended)


@dataclass
class WeightSubject:
    """Two groups that want one disk."""

    lab: Lab
    disk: LoopDevice
    heavy: Writer
    light: Writer
    seconds: float
    least_done: int | None = None
    done: int = 0
    written: int = 0

    def sample(self) -> Mapping[str, float]:
        """The error of the heavier group's share of all that was written."""
        before = self.disk.written()
        began = time.perf_counter_ns() + int(_LEAD * 1e9)
        ended = began + int(self.seconds * 1e9)
        with self.lab.timed.part():
            for writer in (self.heavy, self.light):
                writer.start(self.disk, began, ended)
            heavy, light = (writer.tenant.finish() for writer in (self.heavy, self.light))
        self.written += self.disk.written() - before
        self.done += heavy + light
        self.least_done = min(heavy, light, self.least_done or heavy)
        wanted = self.heavy.weight / (self.heavy.weight + self.light.weight)
        return {"error": heavy / max(1, heavy + light) / wanted - 1}

    def proof(self) -> Proof:
        """BFQ has the disk and the weights, and both groups' writes reached the disk."""
        writers = (self.heavy, self.light)
        reached = self.written >= self.done * _BLOCK > 0
        return Proof(
            (
                equal("scheduler of the disk", _SCHEDULER, scheduler.current(self.disk)),
                equal(
                    "weights read back",
                    [writer.weight for writer in writers],
                    [_read_weight(writer.group) for writer in writers],
                ),
                equal(
                    "the groups' processes",
                    [[writer.tenant.pid] for writer in writers],
                    [writer.group.members() for writer in writers],
                ),
                true("both wrote in every sample", self.least_done, bool(self.least_done)),
                true("bytes that the disk was written", self.written, reached),
            )
        )


def _weight_file(group: Cgroup) -> str:
    return "blkio.bfq.weight" if group.version == "v1" else "io.bfq.weight"


def _read_weight(group: Cgroup) -> int:
    """The weight for all disks: ``100``, or ``default 100`` where each may have its own."""
    return int(group.read(_weight_file(group)).splitlines()[0].split()[-1])


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[WeightSubject]:
    """A disk that BFQ schedules, and two groups with a writer each."""
    image = lab.temporary_folder() / "disk"
    with image.open("wb") as file:
        # Allocated, so that a write needs no room of the file system that the image is on.
        os.posix_fallocate(file.fileno(), 0, _DISK)
    with contextlib.ExitStack() as stack:
        disk = stack.enter_context(lab.loop_device(image))
        settings = _SETTINGS[params.text("guarantees")]
        # Before the groups, which have a weight only once BFQ is there.
        stack.enter_context(lab.disk_scheduler(disk, _SCHEDULER, settings))

        def writer(weight: int, first: int) -> Writer:
            group = stack.enter_context(lab.cgroup("blkio", params.text("controller")))
            group.write(_weight_file(group), weight)
            return Writer(group, stack.enter_context(open_tenant(group)), weight, first)

        heavy = writer(_LIGHT * params.whole("ratio"), 0)
        light = writer(_LIGHT, _DISK // 2)
        yield WeightSubject(lab, disk, heavy, light, params.number("time"))


def _require(params: Point, lab: Lab) -> None:
    hierarchies.require("blkio", params.text("controller"))
    loop.require_loop_devices()


EXPERIMENT = Experiment(
    name="cgroup-io-weight",
    question="How exactly does BFQ divide a disk between groups of unequal weight?",
    parameters=(
        controller("blkio of v1, or io of v2"),
        Parameter(
            "ratio", "weight of the one group over the other", quick=(4,), full=(1, 2, 4, 8),
            whole=True, minimum=1, maximum=10,
        ),
        Parameter(
            "guarantees", "whether BFQ is told to keep weights above all", quick=("strict",),
            full=("strict", "default"), choices=tuple(_SETTINGS),
        ),
        Parameter(
            "time", "how long both write in one sample", quick=(0.5,), full=(2.0,), unit="s",
            minimum=0.1, maximum=60,
        ),
    ),
    metrics=(
        Metric("error", "1", "zero", "additive", "the heavier group's share over its due, less 1"),
    ),
    variant="controller",
    subject=open_subject,
    require=_require,
    # Both write as fast as the disk takes it: half a minute for a guest that counts instructions.
    soon=never_soon_counted,
    share=0.2,
)  # fmt: skip
