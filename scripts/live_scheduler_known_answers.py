"""kube-scheduler's choices over cnbench's own: each of the live ones must be among our best.

    .venv/bin/python scripts/live_scheduler_known_answers.py [PODS [NODES [SEED]]]

A real control plane (`cnbench control-plane build kubernetes-1.20`) is given nodes of all sizes and
pods of all kinds, one after another; half of them belong to a Service. Before each, our scheduler
scores all nodes, on the objects as the API server has them. Where several nodes are best, either
may take any. Up to 100 nodes kube-scheduler looks at all of them (numFeasibleNodesToFind of
pkg/scheduler/core/generic_scheduler.go), so that there is one answer.
"""

from __future__ import annotations

import random
import sys
from functools import partial
from typing import Any

from cnbench.control_plane.api.client import Client
from cnbench.control_plane.binaries import KUBERNETES, binaries_of
from cnbench.control_plane.cluster import NAMESPACE, add_node, open_cluster
from cnbench.control_plane.servers.etcd import MEMORY
from cnbench.core.errors import UnsupportedError
from cnbench.lab.host import open_lab
from cnbench.lab.waiting import wait_until
from cnbench.scheduler.engine import Scheduler
from cnbench.scheduler.inputs.files import ClusterFile

RELEASE = "1.20"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
SERVED = {"app": "served"}
PATIENCE = 60.0
SHOWN = 5
# One weight is another: that must be heard.
CONTROL = {"LeastAllocated": 10}


def main() -> int:
    """Compare, and say what differs: the exit status."""
    given = [int(text) for text in sys.argv[1:]]
    pods, nodes, seed = given + [500, 100, 1][len(given) :]
    with open_lab("host", "wall") as lab:
        try:
            binaries = binaries_of(KUBERNETES)
        except UnsupportedError as error:
            print(f"not compared: {error}; {error.remedy}")
            return 0
        with open_cluster(lab, binaries, MEMORY, 0) as cluster, cluster.plane.api.client() as api:
            differing, heard = compare(api, pods, nodes, random.Random(seed))  # noqa: S311
    print(f"{pods - len(differing)} of {pods} pods went to a node that is among our best")
    print(f"{pods - heard} of them by {CONTROL}, which is another scheduler")
    print(*differing[:SHOWN], sep="\n")
    return bool(differing) or not heard


def compare(api: Client, pods: int, nodes: int, rng: random.Random) -> tuple[list[str], int]:
    """What differs, one pod a line; and how many pods differ from what the control says."""
    for number in range(nodes):
        add_node(api, number, labels_of_a_node(number, rng), capacity_of_a_node(rng))
    service = {
        "metadata": {"name": "served"},
        "spec": {"selector": SERVED, "ports": [{"port": 80}]},
    }
    api.demand("POST", SERVICES, service)
    standing = [typed(one, "Node") for one in api.get("/api/v1/nodes")["items"]]
    standing += [typed(one, "Service") for one in api.get(SERVICES)["items"]]
    placed: list[dict[str, Any]] = []
    differing, heard = [], 0
    for number in range(pods):
        name = f"pod-{number:04}"
        api.demand("POST", PODS, pod(name, rng, served=number % 2 == 0))
        wait_until(partial(node_of, api, name), f"{name} was not bound", within=PATIENCE)
        bound = typed(api.get(f"{PODS}/{name}"), "Pod")
        live = bound["spec"].pop("nodeName")
        file = ClusterFile([*standing, *placed])
        best = best_nodes(file, bound)
        heard += live not in best_nodes(file, bound, CONTROL)
        if live not in best:
            differing.append(f"{name} went to {live}; ours: {', '.join(sorted(best))}")
        bound["spec"]["nodeName"] = live
        placed.append(bound)
    return differing, heard


def best_nodes(
    file: ClusterFile, waiting: dict[str, Any], weights: dict[str, int] | None = None
) -> set[str]:
    """Our best nodes for a pod; several where they are equal."""
    scheduler, asked = Scheduler(file.world.cluster(), RELEASE, weights=weights), file.pod(waiting)
    scores = scheduler.score(asked, scheduler.filter(asked).names())
    most = scores.total.max()
    return {scores.node_names[place] for place, total in enumerate(scores.total) if total == most}


def node_of(api: Client, name: str) -> str:
    """The node that a pod is bound to, or the empty text."""
    node: str = api.get(f"{PODS}/{name}")["spec"].get("nodeName", "")
    return node


def typed(about: dict[str, Any], kind: str) -> dict[str, Any]:
    """An object as it is by itself: those of a list do not say what they are."""
    return {"apiVersion": "v1", "kind": kind, **about}


def labels_of_a_node(number: int, rng: random.Random) -> dict[str, str]:
    """A zone, and a kind of disk."""
    zone = f"zone-{number % 3}"
    return {
        "topology.kubernetes.io/zone": zone,
        "topology.kubernetes.io/region": "region",
        "disk": rng.choice(["ssd", "hdd"]),
    }


def capacity_of_a_node(rng: random.Random) -> dict[str, str]:
    """From a small node to a large one."""
    cpus = rng.choice([4, 8, 16, 32])
    return {"cpu": str(cpus), "memory": f"{cpus * rng.choice([2, 4, 8])}Gi", "pods": "110"}


def pod(name: str, rng: random.Random, served: bool) -> dict[str, Any]:
    """A pod that asks for something, and may prefer or need a node or a neighbour."""
    labels = dict(SERVED) if served else {"app": rng.choice(["batch", "tool"])}
    wants = {"cpu": f"{rng.randrange(50, 1000, 50)}m", "memory": f"{rng.randrange(64, 1024, 64)}Mi"}
    container = {"name": "main", "image": "localhost/none", "resources": {"requests": wants}}
    spec: dict[str, Any] = {"containers": [container], "terminationGracePeriodSeconds": 0}
    disk = [{"key": "disk", "operator": "In", "values": [rng.choice(["ssd", "hdd"])]}]
    draw = rng.random()
    if draw < 0.15:
        spec["nodeSelector"] = {"disk": rng.choice(["ssd", "hdd"])}
    elif draw < 0.3:
        preference = {"weight": rng.randrange(1, 100), "preference": {"matchExpressions": disk}}
        name_of_it = "preferredDuringSchedulingIgnoredDuringExecution"
        spec["affinity"] = {"nodeAffinity": {name_of_it: [preference]}}
    elif draw < 0.45:
        term = {
            "labelSelector": {"matchLabels": labels},
            "topologyKey": rng.choice(["kubernetes.io/hostname", "topology.kubernetes.io/zone"]),
        }
        weighted = {"weight": rng.randrange(1, 100), "podAffinityTerm": term}
        kind = rng.choice(["podAffinity", "podAntiAffinity"])
        spec["affinity"] = {kind: {"preferredDuringSchedulingIgnoredDuringExecution": [weighted]}}
    elif draw < 0.55:
        spec["topologySpreadConstraints"] = [{
            "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": labels},
        }]  # fmt: skip
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


if __name__ == "__main__":
    sys.exit(main())
