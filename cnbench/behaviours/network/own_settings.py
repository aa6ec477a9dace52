"""Which of net.core's settings are a pod's own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour, listed
from cnbench.lab.host import Lab


def _probe(lab: Lab, folder: str = "core") -> str:
    with lab.network_namespace("pod") as pod, pod.entered():
        return listed(sorted(path.name for path in Path("/proc/sys/net", folder).iterdir()))


BEHAVIOUR = Behaviour(
    name="network.own-settings",
    question="Which settings of net.core does a pod have of its own?",
    method="lists /proc/sys/net/core in a new network namespace",
    matters="a pod that sets another one fails to start on this kernel, or changes the whole node",
    source="net/core/sysctl_net_core.c: netns_core_table",
    probe=_probe,
    controls=(partial(_probe, folder="unix"),),
)
