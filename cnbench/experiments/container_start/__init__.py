"""container-start: what does each layer add to starting a container?

One image and one bundle, by eight ways: the kernel calls alone, which no runtime can be faster
than; ``runc`` and ``crun``, by create and start; containerd, by `ctr run` and by its own services;
a pod of one container over the CRI, as the kubelet asks for it; dockerd, by its API and by
`docker run`. ``start`` is from the first call to the first instruction of the container's own
program, which takes the time itself and leaves it in its memory: what comes between is all the
layer's. ``stop`` is from the call that kills it until nothing is left of it. All ways share their
blocks, so what one adds to another is a paired difference.
"""

from __future__ import annotations

from cnbench.core.experiment import Experiment, never_soon_counted
from cnbench.experiments.container_start.grid import METRICS, PARAMETERS, nonsense
from cnbench.experiments.container_start.subject import open_subject, require

EXPERIMENT = Experiment(
    name="container-start",
    question="What does each layer add to starting a container?",
    parameters=PARAMETERS,
    metrics=METRICS,
    variant="runtime",
    subject=open_subject,
    require=require,
    nonsense=nonsense,
    userland="containers",
    soon=never_soon_counted,
    tools=("busybox", "runc", "crun", "containerd", "dockerd"),
    caveat="ctr and containerd's services are given the bundle's own files, a pod and Docker a "
    "snapshot of the image: what that takes is part of what they add. Counted instructions have "
    "those of the process in them that runs the commands.",
)
