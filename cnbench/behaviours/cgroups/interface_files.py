"""What files a group of v2 has."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour, absent, listed
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.host import Lab

# What runtimes look for, and do without where it is missing.
_WANTED = (
    *("cgroup.kill", "cgroup.pressure", "cpu.idle", "cpu.max.burst", "cpu.stat.local"),
    *("cpuset.cpus.exclusive", "cpuset.cpus.partition", "hugetlb.2MB.numa_stat", "io.prio.class"),
    *("irq.pressure", "memory.numa_stat", "memory.peak", "memory.reclaim", "memory.swap.peak"),
    *("memory.zswap.writeback", "misc.peak", "pids.peak", "pids.events.local"),
)
_CONTROLLERS = ("cpu", "cpuset", "memory", "blkio", "pids", "hugetlb", "misc")


def _files(lab: Lab, root: bool) -> set[str]:
    if root:
        folder = hierarchies.require(_CONTROLLERS[0], "v2").root
        return {path.name for path in folder.iterdir()} if folder else set()
    found: set[str] = set()
    for name in _CONTROLLERS:
        if any(hierarchy.version == "v2" for hierarchy in hierarchies.find(name)):
            with lab.cgroup(name, "v2") as group:
                found |= {path.name for path in group.folder.iterdir()}
    return found


def _probe(lab: Lab, root: bool = False) -> str:
    hierarchies.require(_CONTROLLERS[0], "v2")
    found = _files(lab, root)
    return listed(name for name in _WANTED if name in found) or absent("such file")


BEHAVIOUR = Behaviour(
    name="cgroups.interface-files",
    question="Which of the newer files does a group of v2 have?",
    method=f"looks for {len(_WANTED)} files in groups with each controller",
    matters="a runtime's setting is refused, or passed over in silence, where its file is missing",
    source="Documentation/admin-guide/cgroup-v2.rst; the kernel's configuration",
    probe=_probe,
    controls=(partial(_probe, root=True),),
)
