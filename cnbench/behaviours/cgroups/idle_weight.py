"""What weight an idle group shows."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour, absent
from cnbench.core.errors import CnbenchError
from cnbench.lab.host import Lab


def _probe(lab: Lab, idle: int = 1) -> str:
    with lab.cgroup("cpu", "v2") as group:
        if not group.has("cpu.idle"):
            return absent("cpu.idle")
        group.write("cpu.idle", idle)
        weight = group.read("cpu.weight").strip()
        try:
            group.write("cpu.weight", 200)
        except CnbenchError:
            return f"weight {weight}; another is refused"
        return f"weight {weight}; 200 is taken, and idle is {group.read('cpu.idle').strip()}"


BEHAVIOUR = Behaviour(
    name="cgroups.idle-weight",
    question="What weight has a group with cpu.idle, and can it be changed?",
    method="sets cpu.idle to 1, reads cpu.weight, and writes 200 to it",
    matters="a runtime that sets a weight on an idle group fails, or makes it busy again",
    source="kernel/sched/fair.c: sched_group_set_idle, sched_group_set_shares",
    probe=_probe,
    controls=(partial(_probe, idle=0),),
)
