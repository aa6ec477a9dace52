"""Which controllers a group with processes may pass on."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour, listed
from cnbench.behaviours.cgroups.member import open_member
from cnbench.core.errors import CnbenchError
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.host import Lab

_CONTROLLERS = ("cpu", "cpuset", "memory", "blkio", "pids", "hugetlb", "rdma", "misc")
# Where v1 has some of them, the answer would be the machine's set-up and not the kernel's.
_ON_V2_WHERE_V2_IS_USED = ("cpu", "memory", "pids")


def _refuses(lab: Lab, controller: str, inhabited: bool) -> bool:
    hierarchy = hierarchies.require(controller, "v2")
    with lab.cgroup(controller, "v2") as group, open_member(group if inhabited else None):
        try:
            group.write("cgroup.subtree_control", f"+{hierarchy.name}")
        except CnbenchError:
            return True
    return False


def _probe(lab: Lab, inhabited: bool = True) -> str:
    offered = [
        name
        for name in _CONTROLLERS
        if any(hierarchy.version == "v2" for hierarchy in hierarchies.find(name))
    ]
    for name in _ON_V2_WHERE_V2_IS_USED:
        hierarchies.require(name, "v2")
    refused = [name for name in offered if _refuses(lab, name, inhabited)]
    allowed = [name for name in offered if name not in refused]
    return f"refused: {listed(refused)}; allowed: {listed(allowed)}"


BEHAVIOUR = Behaviour(
    name="cgroups.inner-processes",
    question="Which controllers may a group of v2 pass on while it has processes of its own?",
    method="puts a process into a group, and writes each controller to its cgroup.subtree_control",
    matters="a container that delegates its own group has to move its processes first, for some",
    source="kernel/cgroup/cgroup.c: cgroup_vet_subtree_control_enable; cgroup-v2.rst",
    probe=_probe,
    controls=(partial(_probe, inhabited=False),),
)
