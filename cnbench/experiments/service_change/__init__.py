"""service-change: how long until a change of a Service's endpoints is the way of packets?

A real control plane, and a real kube-proxy in iptables mode. A pod becomes ready, and the first
connection to its Service succeeds; or it is ready no more, and the first one is refused. The steps
between are each from its own two timestamps: the API server's audit has our write and that of the
EndpointSlice controller, kube-proxy's own figures have when it was told (queued), and when the sync
that programmed it began; the rest is until the first packet takes the new way. Nothing is taken
from waiting.
"""

from __future__ import annotations

from cnbench.core.experiment import Experiment
from cnbench.experiments.service_change.grid import METRICS, PARAMETERS
from cnbench.experiments.service_change.subject import open_subject, require

EXPERIMENT = Experiment(
    name="service-change",
    question="How long until a change of a Service's endpoints is the way of packets?",
    parameters=PARAMETERS,
    metrics=METRICS,
    variant="change",
    subject=open_subject,
    require=require,
    tools=("openssl", "iptables", "ip"),
    share=0.5,
    asked_for=True,
    caveat="All servers share this machine's processors; a new connection is tried about every "
    "millisecond, so `whole` and `programming` are no finer than that.",
)
