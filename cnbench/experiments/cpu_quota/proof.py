"""That the kernel has the limits that a case claims, read back from it."""

from __future__ import annotations

from cnbench.core.proof import Check, equal
from cnbench.experiments.cpu_quota.limits import Limits
from cnbench.lab.cgroups.cpu import CpuGroup


def limit_checks(limits: Limits, group: CpuGroup, parent: CpuGroup | None) -> list[Check]:
    """The quota, burst and parent of ``group``, as asked for and as the kernel has them."""
    quota = limits.in_microseconds(limits.quota)
    checks = [equal("limit read back (quota µs, period µs)", quota, group.read_limit())]
    if limits.burst:
        burst = round(limits.burst * quota[0])
        checks.append(equal("burst read back (µs)", burst, group.read_burst()))
    if parent:
        parents = limits.in_microseconds(limits.parents)
        checks += [
            equal("the parent's limit read back", parents, parent.read_limit()),
            equal("the group's parent", parent.folder, group.folder.parent),
        ]
    return checks
