"""list-watch: what does it cost an API server to tell what is there, and what changes?

Servers of a control plane's own: a real etcd and a real API server on loopback. A LIST is asked by
its resourceVersion: unset is what is current, which Kubernetes 1.20 reads from etcd; 0 is whatever
the API server's watch cache has; exact is that version. ``latency`` is from the request to the last
byte, ``cpu`` and ``memory`` are the kernel's account of the API server meanwhile. A WATCH is
followed while objects are written: ``delivery`` is from the answer to a write to its event at a
watcher, both as the kernel put them into our sockets, so it does not matter how late they are read.
``watch-resume`` cuts a watch amid writes and goes on from the version that it has seen;
``watch-relist`` has etcd forget that version first. A ledger of what was written proves that
nothing is lost, and nothing is told twice.
"""

from __future__ import annotations

from cnbench.core.experiment import Experiment
from cnbench.experiments.list_watch.grid import METRICS, PARAMETERS, nonsense
from cnbench.experiments.list_watch.subject import open_subject, require

EXPERIMENT = Experiment(
    name="list-watch",
    question="What does it cost an API server to tell what is there, and what changes?",
    parameters=PARAMETERS,
    metrics=METRICS,
    variant="way",
    beside=("encoding",),
    subject=open_subject,
    require=require,
    nonsense=nonsense,
    tools=("openssl",),
    share=0.5,
    asked_for=True,
    caveat="The client, etcd and the API server share this machine's processors.",
)
