"""cni: what does it cost to connect a pod to its network, plug-in by plug-in?

Debian's reference plug-ins, called as a container runtime calls them: a program a call, told by its
environment and standard input. ``add`` puts a pod that has an empty network namespace on a network,
``check`` looks whether all of it is there, ``del`` takes the pod from it. Interfaces and addresses
are timed with the plug-in that manages them (bridge with host-local), what comes after them in a
chain (portmap, bandwidth, firewall, tuning) alone, and ``chain`` is all of them together. Pods that
are connected at once wait for each other (host-local locks its folder): the time is then the mean
of all. Beside the plug-ins are flannel's and Calico's wiring of a pod, by this project's own calls
of the kernel: no programs are started for them, and no addresses written down.

``left`` and ``kept`` are of another pod, whose runtime is thought to be killed between ADD and DEL:
what is on the node because of it once its namespace is gone, and what a late DEL, without a
namespace, does not take away.
"""

from __future__ import annotations

from cnbench.core.experiment import Experiment, never_soon_counted
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
    soon=never_soon_counted,
    tools=("ip", "iptables"),
    share=0.5,
)
