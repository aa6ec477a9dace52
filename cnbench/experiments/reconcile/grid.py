"""What is asked of reconciliation."""

from __future__ import annotations

from cnbench.control_plane.binaries import KUBERNETES, OWN
from cnbench.control_plane.cluster import PODS_OF_A_NODE
from cnbench.control_plane.servers.etcd import MEMORY, STORES
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point

# The steps of a Deployment, in their order, with what begins and ends each.
STEPS = {
    "client": "kubectl's discovery and validation, from its start until its request is in",
    "authentication": "of one who comes with a certificate",
    "authorization": "of the user, by the roles that there are",
    "admission": "in all plug-ins, for the same as a dry run",
    "etcd": "of the API server's call that stores the Deployment",
    "replicaset": "from the answer to kubectl until that to the ReplicaSet's creation",
    "pods": "from then until the answer to the last pod's creation",
    "scheduling": "from then until the answer to the last binding to a node",
}
_SERVERS = (KUBERNETES, OWN)

PARAMETERS = (
    Parameter(
        "server", "the servers: Kubernetes 1.20, or your own", quick=(KUBERNETES,),
        full=(KUBERNETES,), choices=_SERVERS,
    ),
    Parameter(
        "replicas", "pods of the Deployment", quick=(1, 10), full=(1, 10, 25), whole=True,
        minimum=1, maximum=1000,
    ),
    Parameter(
        "pods", "pods that are there before", quick=(0,), full=(0, 1000, 10_000), whole=True,
        minimum=0, maximum=50_000,
    ),
    Parameter(
        "roles", "roles that others are bound to (RBAC)", quick=(10,), full=(10, 1000, 10_000),
        whole=True, minimum=0, maximum=50_000,
    ),
    Parameter(
        "nodes", f"nodes, of {PODS_OF_A_NODE} pods each", quick=(10,), full=(100,), whole=True,
        minimum=1, maximum=1000,
    ),
    Parameter(
        "store", "where etcd keeps its state: fsync is nothing in memory", quick=(MEMORY,),
        full=STORES, choices=STORES,
    ),
)  # fmt: skip

METRICS = (
    Metric("whole", "s", "lower", "ratio", "from the start of kubectl until all pods are bound"),
    *(Metric(name, "s", "lower", "additive", what) for name, what in STEPS.items()),
    Metric("rest", "s", "lower", "additive", "of the whole, what no step has"),
    Metric("deletion", "s", "lower", "ratio", "from deleting the Deployment until all it owns is "
           "gone"),
)  # fmt: skip


def nonsense(point: Point) -> str:
    """Why a point is left out, or the empty text."""
    room = point.whole("nodes") * PODS_OF_A_NODE - point.whole("pods")
    return "" if room >= point.whole("replicas") else "the nodes have no room for all pods"
