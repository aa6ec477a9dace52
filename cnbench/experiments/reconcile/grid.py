"""What is asked of reconciliation."""

from __future__ import annotations

from collections.abc import Callable

from cnbench.control_plane.binaries import KUBERNETES, OWN
from cnbench.control_plane.cluster import PODS_OF_A_NODE
from cnbench.control_plane.servers.etcd import MEMORY, STORES
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point, Value

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
CREATE, SCALE, ROLL = "create", "scale", "roll"
ORDERED, PARALLEL = "statefulset", "statefulset-parallel"
JOB, CRON_JOB = "job", "cronjob"
DELETE, FOREGROUND = "delete", "delete-foreground"
DELETES = (DELETE, FOREGROUND)
_CHANGES = (CREATE, SCALE, ROLL, ORDERED, PARALLEL, JOB, DELETE, FOREGROUND)


def _of_creation(*several: Value) -> Callable[[Point], tuple[Value, ...]]:
    """``several`` for creation, whose steps depend on what is there; the first for the rest."""
    return lambda point: several if point["change"] == CREATE else several[:1]


def _replicas(*several: Value) -> Callable[[Point], tuple[Value, ...]]:
    """``several``, and for other changes than creation those of which there are several pods."""
    return lambda point: several if point["change"] == CREATE else several[1:]


PARAMETERS = (
    Parameter(
        "server", "the servers: Kubernetes 1.20, or your own", quick=(KUBERNETES,),
        full=(KUBERNETES,), choices=_SERVERS,
    ),
    Parameter(
        "change", "kubectl's creation of a Deployment, step by step; scaling one up by as many "
        "pods; a rolling update; a StatefulSet, its pods one after another or not; a Job; a "
        "CronJob's next one; deleting a Deployment, before its pods or after",
        quick=_CHANGES, full=(*_CHANGES, CRON_JOB), choices=(*_CHANGES, CRON_JOB),
    ),
    Parameter(
        "replicas", "pods of the workload", quick=_replicas(1, 10), full=_replicas(1, 10, 25),
        whole=True, minimum=1, maximum=1000,
    ),
    Parameter(
        "pods", "pods that are there before", quick=(0,), full=_of_creation(0, 1000, 10_000),
        whole=True, minimum=0, maximum=50_000,
    ),
    Parameter(
        "roles", "roles that others are bound to (RBAC)", quick=(10,),
        full=_of_creation(10, 1000, 10_000), whole=True, minimum=0, maximum=50_000,
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
    Metric("whole", "s", "lower", "ratio", "from the start of kubectl until all pods are bound; or "
           "from asking for another change until it is done, from a CronJob's minute"),
    Metric("apart", "s", "lower", "ratio", "between two pods that are made, or deleted"),
    Metric("lateness", "s", "lower", "ratio", "from a CronJob's minute until there is its Job"),
    *(Metric(name, "s", "lower", "additive", what) for name, what in STEPS.items()),
    Metric("rest", "s", "lower", "additive", "of the whole, what no step has"),
    Metric("deletion", "s", "lower", "ratio", "from deleting the Deployment until all it owns is "
           "gone"),
)  # fmt: skip


def nonsense(point: Point) -> str:
    """Why a point is left out, or the empty text."""
    room = point.whole("nodes") * PODS_OF_A_NODE - point.whole("pods")
    # A scaled or a rolling Deployment has up to twice as many at a time.
    wanted = point.whole("replicas") * (2 if point["change"] in (SCALE, ROLL) else 1)
    return "" if room >= wanted else "the nodes have no room for all pods"
