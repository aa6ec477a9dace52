"""What is asked of a Service's change."""

from __future__ import annotations

from cnbench.control_plane.binaries import KUBERNETES, OWN
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter

ADDED, REMOVED = "added", "removed"
_CHANGES = (ADDED, REMOVED)

# The steps, in their order, with what begins and ends each.
STEPS = {
    "write": "of our write, from its coming in until its answer",
    "slice": "from then until the answer to the EndpointSlice controller's write",
    "watch": "from then until kube-proxy has queued it",
    "wait": "from then until the sync begins that programs it",
    "programming": "from then until the first packet on the new way",
}

PARAMETERS = (
    Parameter(
        "server", "the servers: Kubernetes 1.20, or your own", quick=(KUBERNETES,),
        full=(KUBERNETES,), choices=(KUBERNETES, OWN),
    ),
    Parameter(
        "change", "the only endpoint of a Service becomes ready, or is ready no more",
        quick=_CHANGES, full=_CHANGES, choices=_CHANGES,
    ),
    Parameter(
        "services", "other Services, of an endpoint each", quick=(10, 500),
        full=(10, 100, 1000, 5000), whole=True, minimum=0, maximum=20_000,
    ),
)  # fmt: skip

METRICS = (
    Metric("whole", "s", "lower", "ratio", "from the write's coming in to the first packet on the "
           "new way"),
    *(Metric(name, "s", "lower", "additive", what) for name, what in STEPS.items()),
    Metric("sync", "s", "lower", "ratio", "of kube-proxy's whole sync, as it says"),
)  # fmt: skip
