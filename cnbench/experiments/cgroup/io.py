"""cgroup-io: how exactly is a process held to a rate of writing?

A process writes to a loop device of its own that its group has a limit for (blkio.throttle on v1,
io.max on v2), directly or through the page cache, until all is on the disk. The kernel hands time
out in slices and lets a write start when its bytes are paid for, so that the first waits like the
others. Buffered writes are done when the disk has them, for which nobody in the group waits: v1
cannot hold them, since who writes them is in another group, and v2 can, as it charges the disk to
the group that dirtied the page.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.cgroup import controller
from cnbench.lab.cgroups import hierarchies, io_limits
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.host import Lab
from cnbench.lab.storage import loop
from cnbench.lab.storage.loop import LoopDevice
from cnbench.probes.tenants import Tenant, open_tenant


@dataclass
class IoSubject:
    """A disk, a group with a limit for it, and a process inside."""

    lab: Lab
    group: Cgroup
    disk: LoopDevice
    tenant: Tenant
    limit: io_limits.IoLimit
    block: int
    blocks: int
    direct: bool
    held: int
    samples: int = 0
    written: int = 0

    def sample(self) -> Mapping[str, float]:
        """The error of the rate that the process wrote at, and how long its first write took."""
        before = self.disk.written()
        with self.lab.timed.part():
            began = self.lab.clock.ticks()
            took, first = self.tenant.do(
                "write", str(self.disk.path), self.block, self.blocks, int(self.direct)
            )
            if not self.direct:
                os.fsync(self.held)
                took = self.lab.clock.ticks() - began
        self.samples += 1
        self.written += self.disk.written() - before
        done = self.blocks if self.limit.operations else self.block * self.blocks
        values = {"error": done / (took / 1e9) / self.limit.rate - 1}
        return values | ({"first": self.lab.clock.units(first)} if self.direct else {})

    def proof(self) -> Proof:
        """The limit is as set, the bytes reached the disk, and the process is in the group."""
        expected = self.samples * self.block * self.blocks
        return Proof(
            (
                equal("limit read back", self.limit.line(), self.limit.read_back(self.group)),
                equal("bytes that the disk was written", expected or "some", self.written),
                equal("the group's only process", [self.tenant.pid], self.group.members()),
            )
        )  # fmt: skip


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[IoSubject]:
    """A disk of the size that is written, and the group."""
    block, blocks = params.whole("block"), params.whole("blocks")
    image = lab.temporary_folder() / "disk"
    with image.open("wb") as file:
        # Allocated, so that a write needs no room of the file system that the image is on.
        os.posix_fallocate(file.fileno(), 0, block * blocks)
    version = params.text("controller")
    with (
        lab.loop_device(image) as disk,
        # On v2 it is the page's memory group whose disk limit counts, so there has to be one.
        lab.cgroup("memory", "v2") if version == "v2" else contextlib.nullcontext(),
        lab.cgroup("blkio", version) as group,
        open_tenant(group) as tenant,
    ):
        limit = io_limits.IoLimit(disk.number, params.whole("rate"), params.text("by") != "bytes")
        limit.set(group)
        # Whoever closes a disk last writes what is cached of it: that is not to be the tenant.
        held = os.open(disk.path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            direct = params.text("write") == "direct"
            yield IoSubject(lab, group, disk, tenant, limit, block, blocks, direct, held)
        finally:
            os.close(held)


def _require(params: Point, lab: Lab) -> None:
    hierarchies.require("blkio", params.text("controller"))
    loop.require_loop_devices()


def _rates(params: Point) -> tuple[int, ...]:
    return (400,) if params["by"] == "operations" else (8 * 2**20,)


EXPERIMENT = Experiment(
    name="cgroup-io",
    question="How exactly is a process held to a rate of writing?",
    parameters=(
        controller("blkio of v1, or io of v2"),
        Parameter(
            "write", "past the page cache, or through it", quick=("direct",),
            full=("direct", "buffered"), choices=("direct", "buffered"),
        ),
        Parameter(
            "by", "what the limit counts", quick=("bytes",), full=("bytes", "operations"),
            choices=("bytes", "operations"),
        ),
        Parameter(
            "rate", "bytes or operations a second", quick=_rates, full=_rates, whole=True,
            minimum=1, maximum=2**40,
        ),
        Parameter(
            "block", "bytes in one write", quick=(2**20,), full=(2**16, 2**20), unit="B",
            whole=True, minimum=4096, maximum=2**20,
        ),
        Parameter(
            "blocks", "writes in one sample", quick=(4,), full=(64,), whole=True, minimum=1,
            maximum=100_000,
        ),
    ),
    metrics=(
        Metric("error", "1", "zero", "additive", "the rate over the limit, less 1"),
        Metric("first", "s", "lower", "ratio", "time of the first write", elapsed=True),
    ),
    variant="controller",
    subject=open_subject,
    require=_require,
    share=0.3,
)  # fmt: skip
