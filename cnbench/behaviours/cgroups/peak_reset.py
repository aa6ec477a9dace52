"""Whether the highest memory use can be counted anew."""

from __future__ import annotations

import os
from functools import partial

from cnbench.behaviours.behaviour import Behaviour, absent
from cnbench.behaviours.calls import refusal
from cnbench.lab.host import Lab
from cnbench.probes.tenants import open_tenant

_PAGES = 2048


def _probe(lab: Lab, reset: bool = True) -> str:
    with lab.cgroup("memory", "v2") as group, open_tenant(group) as tenant:
        if not group.has("memory.peak"):
            return absent("memory.peak")
        tenant.do("populate", _PAGES)
        try:
            peak = os.open(group.folder / "memory.peak", os.O_RDWR)
        except OSError as error:
            return refusal(error)
        try:
            before = int(os.pread(peak, 32, 0))
            if reset:
                os.write(peak, b"reset")
            after = int(os.pread(peak, 32, 0))
        except OSError as error:
            return refusal(error)
        finally:
            os.close(peak)
        everybody = group.number("memory.peak")
    if after == before:
        return "nothing changes"
    return "for its writer alone" if everybody == before else "for everybody"


BEHAVIOUR = Behaviour(
    name="cgroups.peak-reset",
    question="Can memory.peak be reset?",
    method="takes 8 MiB and gives them back, writes to memory.peak, and reads it again",
    matters="an agent that watches a job's peak needs a new group for each of its phases otherwise",
    source="mm/memcontrol.c: memory_peak_write; cgroup-v2.rst",
    probe=_probe,
    controls=(partial(_probe, reset=False),),
)
