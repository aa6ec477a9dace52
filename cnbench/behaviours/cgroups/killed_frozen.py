"""Whether what is frozen can be killed."""

from __future__ import annotations

import os
import select
import signal
from functools import partial

from cnbench.behaviours.behaviour import Behaviour, absent
from cnbench.behaviours.cgroups.member import open_member
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until

_PATIENCE = 30.0
# In which one that was killed is gone.
_LOOK = 0.3


def _freeze(group: Cgroup, frozen: bool) -> None:
    if group.version == "v1":
        word = "FROZEN" if frozen else "THAWED"
        group.write("freezer.state", word)
        done = lambda: group.read("freezer.state").strip() == word  # noqa: E731
    else:
        group.write("cgroup.freeze", int(frozen))
        done = lambda: group.table("cgroup.events")["frozen"] == frozen  # noqa: E731
    wait_until(done, "the group is not in its state", within=_PATIENCE)


def _end(group: Cgroup, number: int) -> str:
    """When a frozen member of ``group`` dies that is sent ``number``."""
    with open_member(group) as pid:
        process = os.pidfd_open(pid)
        try:
            _freeze(group, True)
            try:
                os.kill(pid, number)
                at_once = _ends(process)
            finally:
                _freeze(group, False)
            after = _ends(process)
        finally:
            os.close(process)
    return "at once" if at_once else "once it is thawed" if after else "never"


def _ends(process: int) -> bool:
    return bool(select.select([process], [], [], _LOOK)[0])


def _probe(lab: Lab, number: int = signal.SIGKILL) -> str:
    # Mounting v1 for a moment would have a whole machine wait for groups that are being forgotten.
    versions = [one.version for one in hierarchies.find("freezer") if one.root]
    said = []
    for version in versions[::-1]:
        with lab.cgroup("freezer", version) as group:
            said.append(f"{version}: {_end(group, number)}")
    return ", ".join(said) or absent("mounted freezer")


BEHAVIOUR = Behaviour(
    name="cgroups.killed-frozen",
    question="When does a frozen process die that is killed?",
    method="freezes a group of each version that is mounted, and kills a member of it",
    matters="a paused container that is killed stays until it is thawed, where it does not die",
    source="kernel/signal.c: JOBCTL_TRAP_FREEZE; Documentation/admin-guide/cgroup-v2.rst",
    probe=_probe,
    controls=(partial(_probe, number=signal.SIGCONT),),
)
