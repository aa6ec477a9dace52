"""Which group counts a fork that pids.max refuses."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.lab.host import Lab
from cnbench.probes.tenants import open_tenant

_LIMIT = 4


def _probe(lab: Lab, limit: int = _LIMIT) -> str:
    with lab.cgroup("pids", "v2") as above, lab.cgroup("pids", "v2", above) as below:
        above.write("pids.max", limit)
        with open_tenant(below) as tenant:
            tenant.do("fork_until_refused", 2 * _LIMIT)
            counted = {"the limited": above, "the forking": below}
            found = [name for name, group in counted.items() if group.table("pids.events")["max"]]
    return " and ".join(found) or "none"


BEHAVIOUR = Behaviour(
    name="cgroups.pids-events",
    question="Whose pids.events counts a refused fork: the limited group's, or the forking one's?",
    method="limits a group, and forks in one below it until that is refused",
    matters="an alert on a pod's pids.events never fires where its containers' groups count",
    source="kernel/cgroup/pids.c: pids_event; cgroup-v2.rst: pids_localevents",
    probe=_probe,
    controls=(partial(_probe, limit=1000),),
)
