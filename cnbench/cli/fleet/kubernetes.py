"""The Kubernetes objects that have a plan measured on nodes of a cluster, by its own controllers.

A Job with an index for each node; pods that keep each other off their nodes, so that there is one a
node; a volume for their run files; and who may do what. None of ours runs but `cnbench run`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnbench.store.runs import SUFFIX

Object = dict[str, Any]

_RESULTS = "/results"
_LABEL = "app.kubernetes.io/name"
_INSTANCE = "app.kubernetes.io/instance"
# A namespace of any other level refuses pods that may do what measuring takes.
_LEVEL = "pod-security.kubernetes.io/enforce"


@dataclass(frozen=True)
class Wanted:
    """What is measured, and where.

    Attributes:
        arguments: those of `cnbench run`.
        image: a container image whose path has a `cnbench`.
        nodes: how many nodes it is measured on.
        name: of the Job, and of the folder that its run files go to.
        namespace: that all objects are in.
        selector: labels that a node has to have.
        claim: of a volume that pods of many nodes may write; the one that is made if it is empty.
        size: of the one that is made.
        storage_class: of the one that is made; the cluster's default if it is empty.
    """

    arguments: Sequence[str]
    image: str
    nodes: int
    name: str = "cnbench"
    namespace: str = "cnbench"
    selector: Mapping[str, str] = field(default_factory=dict)
    claim: str = ""
    size: str = "1Gi"
    storage_class: str = ""


def objects(wanted: Wanted) -> Iterator[Object]:
    """All objects, in the order in which they can be made."""
    yield _object("v1", "Namespace", wanted.namespace, labels={_LEVEL: "privileged"})
    yield from _rights(wanted)
    if not wanted.claim:
        yield _claim(wanted)
    yield _job(wanted)


def _rights(wanted: Wanted) -> Iterator[Object]:
    """Who measures may ask the API server nothing; who starts it may do that, and read of it."""
    yield _object("v1", "ServiceAccount", "cnbench", wanted, automountServiceAccountToken=False)
    yield _object("v1", "ServiceAccount", "cnbench-runner", wanted)
    rules = [
        {
            "apiGroups": ["batch"],
            "resources": ["jobs"],
            "verbs": ["create", "get", "list", "watch", "delete"],
        },
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    ]
    yield _object("rbac.authorization.k8s.io/v1", "Role", "cnbench-runner", wanted, rules=rules)
    yield _object(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        "cnbench-runner",
        wanted,
        roleRef={
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": "cnbench-runner",
        },
        subjects=[
            {"kind": "ServiceAccount", "name": "cnbench-runner", "namespace": wanted.namespace}
        ],
    )


def _claim(wanted: Wanted) -> Object:
    spec: Object = {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": wanted.size}},
    }
    if wanted.storage_class:
        spec["storageClassName"] = wanted.storage_class
    return _object("v1", "PersistentVolumeClaim", _claim_name(wanted), wanted, spec=spec)


def _job(wanted: Wanted) -> Object:
    labels = {_LABEL: "cnbench", _INSTANCE: wanted.name}
    spec = {
        "completionMode": "Indexed",
        # All at once: a pod that has ended keeps none off its node.
        "completions": wanted.nodes,
        "parallelism": wanted.nodes,
        # One that failed ends the others only if all have.
        "backoffLimit": wanted.nodes,
        "template": {"metadata": {"labels": labels}, "spec": _pod(wanted, labels)},
    }
    return _object("batch/v1", "Job", wanted.name, wanted, labels=labels, spec=spec)


def _pod(wanted: Wanted, labels: Mapping[str, str]) -> Object:
    alone = {
        "labelSelector": {"matchLabels": dict(labels)},
        "topologyKey": "kubernetes.io/hostname",
    }
    claim = {"claimName": _claim_name(wanted)}
    pod: Object = {
        "serviceAccountName": "cnbench",
        "automountServiceAccountToken": False,
        "restartPolicy": "Never",
        "affinity": {
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [alone]}
        },
        "containers": [_container(wanted)],
        "volumes": [{"name": "results", "persistentVolumeClaim": claim}],
    }
    if wanted.selector:
        pod["nodeSelector"] = dict(wanted.selector)
    return pod


def _container(wanted: Wanted) -> Object:
    output = f"{_RESULTS}/{wanted.name}/$(CNBENCH_NODE){SUFFIX}"
    return {
        "name": "cnbench",
        "image": wanted.image,
        "command": ["cnbench", "run"],
        "args": [*map(_literal, wanted.arguments), "-o", output],
        "env": [
            {"name": "CNBENCH_NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
        ],
        # Namespaces, cgroups, mounts and loop devices. No limit on its CPU time: that would be
        # another quota around what is measured.
        "securityContext": {"privileged": True},
        # Why a pod has failed is then in the API, also once its log is gone.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": "results", "mountPath": _RESULTS}],
    }


def _literal(argument: str) -> str:
    """``argument`` as Kubernetes leaves it: it replaces $(NAME) of arguments."""
    return argument.replace("$(", "$$(")


def _claim_name(wanted: Wanted) -> str:
    return wanted.claim or "cnbench-results"


def _object(
    version: str,
    kind: str,
    name: str,
    wanted: Wanted | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    **more: Any,
) -> Object:
    metadata: Object = {"name": name}
    if wanted:
        metadata["namespace"] = wanted.namespace
    if labels:
        metadata["labels"] = dict(labels)
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}
