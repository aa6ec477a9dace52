"""cni: what does it cost to connect a pod to its network, plug-in by plug-in?

Debian's reference plug-ins, called as a container runtime calls them: a program a call, told by its
environment and standard input. ``add`` puts a pod that has an empty network namespace on a network,
``check`` looks whether all of it is there, ``del`` takes the pod from it. Interfaces and addresses
are timed with the plug-in that manages them (bridge with host-local), what comes after them in a
chain (portmap, bandwidth, firewall, tuning) alone, and ``chain`` is all of them together.
"""

from __future__ import annotations

from cnbench.core.experiment import Experiment
from cnbench.experiments.cni.grid import METRICS, PARAMETERS, nonsense
from cnbench.experiments.cni.subject import open_subject, require

EXPERIMENT = Experiment(
    name="cni",
    question="What does it cost to connect a pod to its network, plug-in by plug-in?",
    parameters=PARAMETERS,
    metrics=METRICS,
    variant="plugin",
    subject=open_subject,
    require=require,
    nonsense=nonsense,
    tools=("ip", "iptables"),
    share=0.5,
)
