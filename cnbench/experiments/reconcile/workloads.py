"""Workloads that are not made by kubectl: what is asked for, and who will own the pods."""

from __future__ import annotations

from typing import Any

from cnbench.control_plane.api.client import Client
from cnbench.control_plane.cluster import NAMESPACE, pod_spec
from cnbench.experiments.reconcile import deployment
from cnbench.experiments.reconcile.grid import CRON_JOB, JOB, ORDERED, PARALLEL

_APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}"
_BATCH = "/apis/batch/{}/namespaces/" + NAMESPACE
STATEFULSETS, JOBS = f"{_APPS}/statefulsets", f"{_BATCH.format('v1')}/jobs"
_EVERY_MINUTE = "* * * * *"
# Where an owner is found, by its apiVersion's group and its kind.
_OWNERS = {
    "ReplicaSet": deployment.REPLICASETS, "StatefulSet": STATEFULSETS, "Job": JOBS,
    "Deployment": deployment.PATH,
}  # fmt: skip


def version_of_cron_jobs(api: Client) -> str:
    """The newest version of the API in which the server has CronJobs; raises RefusedError."""
    named = {one["name"] for one in api.get("/apis/batch/v1")["resources"]}
    return "v1" if "cronjobs" in named else "v1beta1"


def cron_jobs(version: str) -> str:
    """The path of CronJobs, which were v1beta1 until Kubernetes 1.21."""
    return f"{_BATCH.format(version)}/cronjobs"


def paths(version: str) -> dict[str, str]:
    """Where the objects of each kind are."""
    return _OWNERS | {"CronJob": cron_jobs(version)}


def collection(change: str, version: str) -> str:
    """The path of what a change makes or changes."""
    made = {ORDERED: STATEFULSETS, PARALLEL: STATEFULSETS, JOB: JOBS, CRON_JOB: cron_jobs(version)}
    return made.get(change, deployment.PATH)


def chain(change: str) -> str:
    """Who owns the pods of a change, from the nearest on."""
    chains = {
        ORDERED: "StatefulSet", PARALLEL: "StatefulSet", JOB: "Job", CRON_JOB: "Job, CronJob",
    }  # fmt: skip
    return chains.get(change, "ReplicaSet, Deployment")


def body(change: str, name: str, replicas: int) -> dict[str, Any]:
    """What is made: a Deployment, unless the change is of another kind of workload."""
    if change in (ORDERED, PARALLEL):
        return _stateful_set(name, replicas, change)
    if change == JOB:
        return {"metadata": {"name": name}, "spec": _job(name, replicas)}
    if change == CRON_JOB:
        spec = {"schedule": _EVERY_MINUTE, "jobTemplate": {"spec": _job(name, replicas)}}
        return {"metadata": {"name": name}, "spec": spec}
    return deployment.body(name, replicas)


def _stateful_set(name: str, replicas: int, policy: str) -> dict[str, Any]:
    wanted: dict[str, Any] = deployment.body(name, replicas)
    management = "Parallel" if policy == PARALLEL else "OrderedReady"
    spec = wanted["spec"] | {"serviceName": name, "podManagementPolicy": management}
    return wanted | {"kind": "StatefulSet", "spec": spec}


def _job(name: str, pods: int) -> dict[str, Any]:
    spec = pod_spec() | {"restartPolicy": "Never"}
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    return {"completions": pods, "parallelism": pods, "template": template}
