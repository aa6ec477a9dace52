"""reconcile: where does the time go from kubectl to pods that are bound to nodes?

One Deployment, by kubectl, on a real control plane: API server, etcd, controller-manager and
scheduler. The way has eight steps, and each is taken from what the servers say of it themselves:
the API server's audit has when a request came, when it was known who asks, and when it was
answered, for those of the controllers as well; its own figures have what admission and etcd take
(``asking.py`` says how the parts of one request are told apart). Nothing is taken from waiting.
What no step has is ``rest``; it must be at most 2 % of the whole.

Nodes have no kubelet: they are objects that say they are ready, and pods end when they are bound.
For other ``change`` than creation, controllers wait for pods that run: we write their status as
soon as they are bound (``attendant.py``). These are followed by the audit as well, from our request
to the last answer to who did what it takes; owners, events and the order of it all are the proof.
"""

from __future__ import annotations

from cnbench.core.experiment import Experiment
from cnbench.experiments.reconcile.grid import METRICS, PARAMETERS, nonsense
from cnbench.experiments.reconcile.subject import open_subject, require

EXPERIMENT = Experiment(
    name="reconcile",
    question="Where does the time go from kubectl to pods that are bound to nodes?",
    parameters=PARAMETERS,
    metrics=METRICS,
    variant="replicas",
    subject=open_subject,
    require=require,
    nonsense=nonsense,
    tools=("openssl",),
    asked_for=True,
    caveat="All servers share this machine's processors; controllers send 20 requests a second at "
    "most, after the first 30, as they do by default.",
)
