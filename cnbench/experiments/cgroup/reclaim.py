"""cgroup-reclaim: does the kernel take back as much memory as it is asked to, and at what cost?

A process in the group leaves clean page cache behind: it writes a file and has it written to the
disk. Then the kernel is asked for half of it (memory.reclaim of cgroup v2, since Linux 5.19).
``error`` holds what the group is charged less by against what was asked: the kernel may take more,
since it works in batches, and refuses if it finds less.
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal, true
from cnbench.experiments.cgroup import controller
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.host import Lab
from cnbench.lab.storage import loop
from cnbench.probes.tenants import Tenant, open_tenant

_FILE = "memory.reclaim"
_FILESYSTEM = "ext4"


@dataclass
class ReclaimSubject:
    """A group, and a process in it that fills the page cache."""

    lab: Lab
    group: Cgroup
    tenant: Tenant
    file: Path
    asked: int
    reclaimed: int = 0
    samples: int = 0
    stolen: int = 0

    def sample(self) -> Mapping[str, float]:
        """How much more than asked was taken back, and what a byte of it cost."""
        self.tenant.do("fill", str(self.file), 2 * self.asked)
        charged, stolen = self.group.number("memory.current"), self._stolen()
        with self.lab.timed.part():
            ticks, _ = self.lab.clock.timed(lambda: self.group.write(_FILE, self.asked))
        reclaimed = charged - self.group.number("memory.current")
        self.stolen += self._stolen() - stolen
        self.reclaimed += reclaimed
        self.samples += 1
        return {
            "reclaim": self.lab.clock.units(ticks) / self.asked,
            "error": reclaimed / self.asked - 1,
        }

    def _stolen(self) -> int:
        """Bytes that the kernel has taken back from the group, by its own count of pages."""
        return self.group.table("memory.stat")["pgsteal"] * mmap.PAGESIZE

    def proof(self) -> Proof:
        """The pages were stolen from this group, at least as many as asked for."""
        asked = self.samples * self.asked
        return Proof(
            (
                true("bytes asked for that were taken back", self.reclaimed,
                     self.reclaimed >= asked > 0),
                true("bytes of pages stolen from the group", self.stolen, self.stolen >= asked > 0),
                equal("the group's only process", [self.tenant.pid], self.group.members()),
            )
        )  # fmt: skip


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[ReclaimSubject]:
    """A file system on a disk of its own, the group, and the process."""
    asked = params.whole("asked")
    with (
        lab.filesystem(_FILESYSTEM, 2 * asked) as filesystem,
        lab.cgroup("memory", params.text("controller")) as group,
        open_tenant(group) as tenant,
    ):
        if not group.has(_FILE):
            raise UnsupportedError(f"this kernel has no {_FILE}; it came with Linux 5.19",
                                   "use a newer kernel: --lab guest")  # fmt: skip
        yield ReclaimSubject(lab, group, tenant, filesystem.path / "file", asked)


def _require(params: Point, lab: Lab) -> None:
    if hierarchies.require("memory", params.text("controller")).version == "v1":
        raise UnsupportedError(
            f"cgroup v1 has no {_FILE}", "the guest lab has cgroup v2: --lab guest"
        )
    loop.require_loop_devices()


EXPERIMENT = Experiment(
    name="cgroup-reclaim",
    question="Does the kernel take back as much memory as it is asked to, and at what cost?",
    parameters=(
        controller("v2; v1 has no memory.reclaim", alone="v2"),
        Parameter(
            "asked", "bytes to take back, half of what the group has in the page cache",
            quick=(4 * 2**20,), full=(2**20, 4 * 2**20, 64 * 2**20), unit="B", whole=True,
            minimum=2**16, maximum=2**32,
        ),
    ),
    metrics=(
        Metric("reclaim", "s/B", "lower", "ratio", "cost of a byte that is asked back"),
        Metric("error", "1", "zero", "additive", "what was taken back over what was asked, less 1"),
    ),
    variant="controller",
    subject=open_subject,
    require=_require,
    tools=("mkfs.ext4",),
    share=0.3,
)  # fmt: skip
