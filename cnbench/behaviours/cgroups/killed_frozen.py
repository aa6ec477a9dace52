"""Whether what is frozen can be killed."""

from __future__ import annotations

import os
import select
import signal
from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.cgroups.member import open_member
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until

_PATIENCE = 30.0
# In which one that was killed is gone.
_LOOK = 0.3


def _freeze(group: Cgroup, frozen: bool) -> None:
    group.write("cgroup.freeze", int(frozen))
    wait_until(
        lambda: group.table("cgroup.events")["frozen"] == frozen,
        "the group is not in its state",
        within=_PATIENCE,
    )


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
    with lab.cgroup("freezer", "v2") as group:
        return _end(group, number)


BEHAVIOUR = Behaviour(
    name="cgroups.killed-frozen",
    question="When does a frozen process die that is killed?",
    method="freezes a group of v2, and kills a member of it",
    matters="a paused container that is killed stays until it is thawed, where it does not die",
    source="kernel/signal.c: JOBCTL_TRAP_FREEZE; Documentation/admin-guide/cgroup-v2.rst",
    probe=_probe,
    controls=(partial(_probe, number=signal.SIGCONT),),
)
