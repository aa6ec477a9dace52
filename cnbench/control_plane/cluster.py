"""A cluster without kubelets: nodes that are written by hand, and all that schedules pods to them.

A node is an object like any other. With its status written there is nothing that a pod needs a
kubelet for until it is to run: it is made, counted, scheduled and bound.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnbench.control_plane.api.client import Client
from cnbench.control_plane.binaries import Binaries
from cnbench.control_plane.servers.audit import Audit, audit_options, audit_path
from cnbench.control_plane.servers.controllers import start_controller_manager, start_scheduler
from cnbench.control_plane.servers.daemon import Daemon
from cnbench.control_plane.servers.plane import Plane, open_plane
from cnbench.lab.host import Lab

NAMESPACE = "cnbench"
# What a kubelet says by default.
PODS_OF_A_NODE = 110
_CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": str(PODS_OF_A_NODE)}
_MERGE = "application/merge-patch+json"


@dataclass(frozen=True)
class Cluster:
    """Servers, and nodes that pods are bound to. Use ``open_cluster``."""

    plane: Plane
    manager: Daemon
    scheduler: Daemon
    audit: Audit

    @property
    def folder(self) -> Path:
        """For files that its programs read."""
        return self.plane.folder


def node_name(number: int) -> str:
    """The name of the node of that number."""
    return f"node-{number:04}"


def add_node(
    client: Client,
    number: int,
    labels: Mapping[str, str] | None = None,
    capacity: Mapping[str, str] = _CAPACITY,
) -> None:
    """Make a node that is ready, with more ``labels`` than its name; raises RefusedError."""
    name = node_name(number)
    named = {"kubernetes.io/hostname": name, **(labels or {})}
    client.demand("POST", "/api/v1/nodes", {"metadata": {"name": name, "labels": named}})
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    status = {"capacity": capacity, "allocatable": capacity, "conditions": [ready]}
    client.demand("PATCH", f"/api/v1/nodes/{name}/status", {"status": status}, content=_MERGE)
    # Admission gives a new node a taint that the controller of nodes takes away: it is left out.
    client.demand("PATCH", f"/api/v1/nodes/{name}", {"spec": {"taints": None}}, content=_MERGE)


def pod_spec(node: str = "") -> dict[str, Any]:
    """What a pod asks for; it is gone as soon as it is deleted."""
    wants = {"cpu": "100m", "memory": "64Mi"}
    container = {"name": "main", "image": "localhost/none", "resources": {"requests": wants}}
    spec: dict[str, Any] = {"containers": [container], "terminationGracePeriodSeconds": 0}
    return spec | ({"nodeName": node} if node else {})


@contextlib.contextmanager
def open_cluster(lab: Lab, binaries: Binaries, store: str, nodes: int) -> Iterator[Cluster]:
    """A cluster of so many nodes, whose servers end on leaving.

    Raises:
        UnsupportedError: a program is missing, or this user cannot make the enclave.
        CnbenchError: a server does not answer.
    """
    options = lab.temporary_folder()
    with open_plane(lab, binaries, store, *audit_options(options)) as plane:
        with plane.api.client() as client:
            client.demand("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
            for number in range(nodes):
                add_node(client, number)
        manager, scheduler = start_controller_manager(plane), start_scheduler(plane)
        yield Cluster(plane, manager, scheduler, Audit(audit_path(options)))
