"""namespaces: what does a new namespace cost, of each kind, and all together as in a container?

``create`` is the system call that makes it: unshare in a child that does nothing else, or clone and
clone3, where ``kind=none`` says how much of it is the new process. ``enter`` is setns into one that
is there, by its descriptor or by that of a process in it. ``destroy`` lasts from the word to the
only process to end until that process is gone; of a network namespace, which a worker takes down
later, until a device in it is gone. ``first`` is the first thing done with it: a mount, or a packet
over its loopback, which is down at first. ``memory`` is what the kernel's own memory grows by.
"""

from __future__ import annotations

from cnbench.core.experiment import Experiment
from cnbench.experiments.namespaces.grid import METRICS, PARAMETERS, nonsense
from cnbench.experiments.namespaces.subject import open_subject, require

EXPERIMENT = Experiment(
    name="namespaces",
    question="What does a new namespace cost, of each kind and all together?",
    parameters=PARAMETERS,
    metrics=METRICS,
    variant="kind",
    subject=open_subject,
    require=require,
    nonsense=nonsense,
    counted=True,
    share=0.4,
)
