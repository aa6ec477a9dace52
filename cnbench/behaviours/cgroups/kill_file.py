"""Whether a group can be killed as a whole."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour, absent
from cnbench.behaviours.cgroups.member import open_member
from cnbench.core.errors import CnbenchError
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until


def _probe(lab: Lab, word: str = "1") -> str:
    with lab.cgroup("freezer", "v2") as group, open_member(group), open_member(group):
        if not group.has("cgroup.kill"):
            return absent("cgroup.kill")
        try:
            group.write("cgroup.kill", word)
        except CnbenchError:
            return "refused"
        wait_until(
            lambda: not group.table("cgroup.events")["populated"], "it is not empty", within=30
        )
        return "all are gone"


BEHAVIOUR = Behaviour(
    name="cgroups.kill-file",
    question="Can all processes of a group be killed at once?",
    method="writes 1 to cgroup.kill of a group with two processes",
    matters="without it a runtime freezes, lists and kills, again and again while others fork",
    source="kernel/cgroup/cgroup.c: cgroup_kill_write; cgroup-v2.rst",
    probe=_probe,
    controls=(partial(_probe, word="2"),),
)
