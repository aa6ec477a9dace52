"""How hard memory.high slows down who is above it."""

from __future__ import annotations

import mmap
from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.host import Lab
from cnbench.probes.tenants import open_tenant

_HIGH = 16 << 20
_OVER = (5, 20, 50)
_MOST_CHARGED_AT_ONCE = 64  # MEMCG_CHARGE_BATCH


def _delay(group: Cgroup, folder: Path, percent: int) -> str:
    """What a batch of pages takes when the group is ``percent`` above memory.high, in words."""
    wanted = _HIGH * (100 + percent) // 100
    with open_tenant(group) as tenant:
        missing = (wanted - group.number("memory.current")) // mmap.PAGESIZE
        # What a tmpfs holds can be reclaimed by nobody, as long as there is no swap.
        held = folder / f"held-{percent}"
        held.touch()
        tenant.do("write", str(held), mmap.PAGESIZE, missing, 0)
        group.write("memory.high", _HIGH)
        took = tenant.do("populate", _MOST_CHARGED_AT_ONCE)
        group.write("memory.high", "max")
    return f"{percent} % above: {took / 1e9:.1f} s"


def _probe(lab: Lab, over: tuple[int, ...] = _OVER) -> str:
    said = []
    with lab.mount("none", lab.temporary_folder(), "tmpfs") as folder:
        for percent in over:
            with lab.cgroup("memory", "v2") as group:
                said.append(_delay(group, folder, percent))
    return ", ".join(said)


BEHAVIOUR = Behaviour(
    name="cgroups.memory-high-delay",
    question="How long does memory.high hold up who takes more, by how far the group is above it?",
    method=f"takes {_MOST_CHARGED_AT_ONCE} pages that cannot be reclaimed, above a limit of 16 MiB",
    matters="the kubelet's MemoryQoS sets it: a pod near its limit may all but stop",
    source="mm/memcontrol.c: calculate_high_delay, MEMCG_MAX_HIGH_DELAY_JIFFIES",
    probe=_probe,
    controls=(partial(_probe, over=(0,)),),
)
