"""A Deployment of ours, and who may make it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from cnbench.control_plane.api.client import Client
from cnbench.control_plane.api.objects import in_parallel
from cnbench.control_plane.cluster import NAMESPACE, node_name, pod_spec

USER = "cnbench-user"
PATH = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
REPLICASETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/replicasets"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_RULES = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"]}]


def body(name: str, replicas: int) -> dict[str, Any]:
    """The Deployment, to be created."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod_spec()}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def text(name: str, replicas: int) -> str:
    """The same as a file for kubectl."""
    return json.dumps(body(name, replicas))


def grant(connect: Callable[[], Client], others: int) -> None:
    """Allow ``USER`` to make Deployments, among ``others`` who may do so as well.

    Each has a role of its own: the authorizer looks through all bindings for one of the user's.

    Raises:
        RefusedError: the server does not make one.
    """

    def one(client: Client, number: int) -> None:
        who = f"other-{number:05}" if number else USER
        role = {"metadata": {"name": f"role-of-{who}"}, "rules": _RULES}
        client.demand("POST", f"{_RBAC}/clusterroles", role)
        client.demand("POST", f"{_RBAC}/clusterrolebindings", _binding(who))

    in_parallel(connect, 1 + others, one)


def _binding(who: str) -> dict[str, Any]:
    api = "rbac.authorization.k8s.io"
    return {
        "metadata": {"name": f"binding-of-{who}"},
        "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": f"role-of-{who}"},
        "subjects": [{"apiGroup": api, "kind": "User", "name": who}],
    }


def add_pods(connect: Callable[[], Client], count: int, nodes: int) -> None:
    """Pods that nobody owns, on nodes in turn; raises RefusedError."""

    def one(client: Client, number: int) -> None:
        metadata = {"name": f"there-before-{number:06}", "labels": {"app": "there-before"}}
        spec = pod_spec(node_name(number % nodes))
        client.demand("POST", PODS, {"metadata": metadata, "spec": spec})

    in_parallel(connect, count, one)


def owner(about: Mapping[str, Any], named: Collection[str]) -> str:
    """The kind of what controls an object, if that is among those ``named``."""
    for one in about["metadata"].get("ownerReferences", ()):
        if one.get("controller"):
            return f"the {one['kind']}" if one["name"] in named else f"another {one['kind']}"
    return "nobody"
