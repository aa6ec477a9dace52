"""cgroup-hugetlb: are reservations of huge pages refused exactly at the limit?

A process in the group maps huge pages, which reserves them. The group's limit on reservations is
asked before the machine's pool is, so it tells without a single huge page: up to the limit the
group's counter of refusals stands still (whatever the pool says), and one page above it moves. The
pool is a setting of the whole machine, which is left as it is.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cnbench.core.errors import UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.cgroup import controller, having
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.probes.tenants import Tenant, open_tenant

# The size that every x86-64 machine has; and what reading a limit rounds to.
_HUGE = 2 * 2**20
_LIMIT = {"v1": "hugetlb.2MB.rsvd.limit_in_bytes", "v2": "hugetlb.2MB.rsvd.max"}


@dataclass
class HugetlbSubject:
    """A group with a limit on reservations, and a process in it."""

    group: Cgroup
    tenant: Tenant
    clock: Clock
    pages: int
    refused: int = 0
    errors: set[int] = field(default_factory=set)

    def sample(self) -> Mapping[str, float]:
        """How many pages more than the limit could be asked for, and what a refusal costs."""
        allowed = 0
        for pages in range(1, 2 * self.pages + 1):
            took, number, refused = self._reserve(pages)
            if refused:
                break
            allowed = pages
        self.errors.add(number)
        return {"error": allowed / self.pages - 1, "refusal": self.clock.units(took)}

    def _reserve(self, pages: int) -> tuple[int, int, bool]:
        """The ticks, the errno, and whether it was the group that refused."""
        before = self._refusals()
        took, number = self.tenant.do("reserve", pages * _HUGE)
        refused = self._refusals() - before
        self.refused += refused
        return took, number, refused > 0

    def _refusals(self) -> int:
        if self.group.version == "v2":
            return self.group.table("hugetlb.2MB.events")["max"]
        return self.group.number("hugetlb.2MB.rsvd.failcnt")

    def proof(self) -> Proof:
        """The limit is as set, the refusals are the group's, and nothing stays reserved."""
        limit = _LIMIT[self.group.version]
        used = "hugetlb.2MB.rsvd." + ("current" if self.group.version == "v2" else "usage_in_bytes")
        return Proof(
            (
                equal("limit read back", self.pages * _HUGE, self.group.number(limit)),
                equal("refusals that the group counted", self._refusals(), self.refused or "some"),
                equal("errno of the refusals", {errno.ENOMEM}, self.errors),
                equal("bytes still reserved", 0, self.group.number(used)),
            )
        )


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[HugetlbSubject]:
    """The group with its limit."""
    pages = params.whole("pages")
    with lab.cgroup("hugetlb", params.text("controller")) as group:
        if not group.has(_LIMIT[group.version]):
            raise UnsupportedError(
                f"this kernel has no {_LIMIT[group.version]}; it came with Linux 5.7",
                "use a kernel with huge pages of 2 MiB: --lab guest",
            )
        group.write(_LIMIT[group.version], pages * _HUGE)
        with open_tenant(group) as tenant:
            yield HugetlbSubject(group, tenant, lab.clock, pages)


EXPERIMENT = Experiment(
    name="cgroup-hugetlb",
    question="Are reservations of huge pages refused exactly at the limit?",
    parameters=(
        controller("the version of the cgroup interface, one of them at a time", first="v2"),
        Parameter(
            "pages", "huge pages of 2 MiB that the group may reserve", quick=(5,), full=(1, 5, 50),
            whole=True, minimum=1, maximum=1000,
        ),
    ),
    metrics=(
        Metric("error", "1", "zero", "additive", "pages that were allowed over the limit, less 1"),
        Metric("refusal", "s", "lower", "ratio", "cost of a reservation that is refused"),
    ),
    variant="controller",
    subject=open_subject,
    require=having("hugetlb"),
    share=0.25,
)  # fmt: skip
