"""pleg: how long until the kubelet knows that a container has died, and what looking costs?

The kubelet's pod lifecycle event generator, in its two ways, on a real containerd. ``generic``
lists all sandboxes and containers over the CRI once a second, and asks for the status of what has
changed (pkg/kubelet/pleg/generic.go); ``evented`` listens to the runtime. ``relist`` is the two
lists while nothing changes, ``change`` with the two status calls of one pod that has. ``age`` is
from the kill of a container's process until its death is known, and ``cpu`` what containerd takes
for a list. Kills are spread evenly over the second, so that the mean of ``age`` is that of any.
"""

from __future__ import annotations

from cnbench.core.experiment import Experiment, never_soon_counted
from cnbench.experiments.pleg.grid import METRICS, PARAMETERS
from cnbench.experiments.pleg.subject import open_subject, require

EXPERIMENT = Experiment(
    name="pleg",
    question="How long until the kubelet knows that a container has died, and what does it cost?",
    parameters=PARAMETERS,
    metrics=METRICS,
    variant="way",
    subject=open_subject,
    require=require,
    soon=never_soon_counted,
    tools=("busybox", "runc", "containerd"),
    share=0.5,
    caveat="containerd 1.6 has no events over the CRI: evented listens to containerd's own, from "
    "which later ones are made.",
)
