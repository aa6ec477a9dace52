"""syncloop: what does a real kubelet add to starting a pod, and what does its relist take?

A kubelet beside etcd, an API server and a containerd, all in one enclave. A pod is made for its
node over the API, so no scheduler is in the way. ``start`` is from that request to the first
instruction of the container's own program, ``running`` until the API says that the pod runs: the
kubelet learns it by its next relist, and tells it then. Between two pods nothing is asked of it:
what its relists take then is read from its own histogram, beside our own relist over the same
socket (``pleg``).
"""

from __future__ import annotations

from cnbench.core.experiment import Experiment, never_soon_counted
from cnbench.experiments.syncloop.grid import METRICS, PARAMETERS
from cnbench.experiments.syncloop.subject import open_subject, require

EXPERIMENT = Experiment(
    name="syncloop",
    question="What does a real kubelet add to starting a pod, and what does its relist take?",
    parameters=PARAMETERS,
    metrics=METRICS,
    variant="pods",
    subject=open_subject,
    require=require,
    soon=never_soon_counted,
    tools=("busybox", "runc", "containerd", "ip", "openssl"),
    asked_for=True,
    share=0.5,
    caveat="Kubelet, API server, etcd and containerd share this machine's processors. ready is of "
    "one start a set-up, and most of it is the kubelet's period of 10 s between two reports.",
)
