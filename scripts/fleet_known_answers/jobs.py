"""What the Jobs of `cnbench fleet manifest` come to where servers, a kubelet and a runtime run."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import yaml
from fleet_known_answers.one_node import Object, OneNode, one_node

from cnbench.control_plane.servers.kubelet import NODE
from cnbench.core.run import CaseResult, Run
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.host import Lab, open_lab
from cnbench.lab.resources import MARK
from cnbench.lab.waiting import wait_until
from cnbench.store import run_file

IMAGE, NAMESPACE = "localhost/cnbench:1", "cnbench"
_NAMESPACES = ("namespaces", "-p", "call=clone3", "--lab", "host")
# What it makes file systems with is none of the image's tools.
FAILING = ("copy-up", "-p", "filesystem=xfs", "-p", "size=1MiB", "--lab", "host")
_MISSING = "mkfs.xfs is not installed"
# More than there is time for.
LONG = (*_NAMESPACES, "-p", "kind=uts,net,ipc,mnt", "-p", "live=0,1,2,3,4,5", "--budget", "2m")
_PATIENCE = 120.0
# Seconds that Kubernetes leaves a pod before it kills it.
GRACE = 30
_RUNNER, _MEASURER = f"{NAMESPACE}:cnbench-runner", f"{NAMESPACE}:cnbench"
# Which account may do what: a verb, a group of the API, a resource, and one below that.
_RIGHTS = (
    (_RUNNER, ("create", "batch", "jobs", ""), True),
    (_RUNNER, ("get", "", "pods", "log"), True),
    (_RUNNER, ("create", "", "pods", ""), False),
    (_RUNNER, ("get", "", "secrets", ""), False),
    (_MEASURER, ("get", "", "pods", ""), False),
    (_MEASURER, ("create", "batch", "jobs", ""), False),
)


def jobs(_: Path, __: random.Random) -> bool:
    """Whether two Jobs are completed and leave what they measured, and one that cannot fails."""
    began = time.monotonic()
    with open_lab("host", "wall") as lab, lab.fresh_fixtures(), one_node(lab, IMAGE) as cluster:
        print(f"node {NODE} is ready, after {time.monotonic() - began:.0f} s", flush=True)
        fine = [_measures(cluster, *job) for job in _measuring().items()]
        fine += [_fails(cluster), _stops(cluster)]
        fine += [_has_rights(cluster, *right) for right in _RIGHTS]
    left = _left(lab)
    print(f"left behind: {left or 'nothing'}; {time.monotonic() - began:.0f} s in all")
    return all(fine) and not left


def _measuring() -> dict[str, Sequence[str]]:
    """Two Jobs' arguments by name; the first makes cgroups with a quota, which takes privileges."""
    version = hierarchies.find("cpu")[0].version
    point = ("-p", f"controller={version}", "-p", "quota=20%", "-p", "period=10ms")
    return {
        "quota": ("cpu-quota", *point, "--lab", "host", "--budget", "5s"),
        "namespaces": (*_NAMESPACES, "-p", "kind=uts,net", "-p", "live=0", "--budget", "5s"),
    }


def _measures(cluster: OneNode, name: str, arguments: Sequence[str]) -> bool:
    """Whether a Job is completed, and its run file has every case, measured and proved."""
    _apply(cluster, _manifest(name, arguments))
    began = time.monotonic()
    condition = cluster.ended(NAMESPACE, name)
    pods = cluster.pods_of(NAMESPACE, name)
    print(f"Job {name}: {condition['type']} after {time.monotonic() - began:.0f} s, {_said(pods)}")
    if condition["type"] != "Complete":
        return False
    run = run_file.read(cluster.volume / name / f"{NODE}.jsonl")
    fine = [_is_measured(run, case) for case in run.cases]
    return bool(fine) and all(fine) and bool(run.finished) and run.node == NODE


def _is_measured(run: Run, case: CaseResult) -> bool:
    metric = run.experiments[case.case.experiment].metrics[0]
    values = [sample.values[metric.name] for sample in case.samples if not sample.replaced]
    found = case.reason
    if values:
        found = f"{metric.name} {statistics.median(values):.4g} {metric.unit} ({len(values)})"
    proved = "proved" if case.proof.holds else "not proved"
    print(f"  {case.case.key}: {case.status}, {proved}, {found}")
    return case.status == "ok" and case.proof.holds and bool(values)


def _fails(cluster: OneNode) -> bool:
    """Whether a Job that cannot measure is Failed, and its pods say why; a CI has started it."""
    *_, job = yaml.safe_load_all(_manifest("failing", FAILING))
    cluster.kubectl(
        "create", "--validate=false", "-n", NAMESPACE, "-f", "-",
        given=json.dumps(job), account=_RUNNER,
    )  # fmt: skip
    condition = cluster.ended(NAMESPACE, "failing")
    pods = cluster.pods_of(NAMESPACE, "failing")
    print(f"Job failing: {condition['type']} ({condition['reason']}), {_said(pods)}")
    return condition["type"] == "Failed" and bool(pods) and _MISSING in _said(pods[-1:])


def _stops(cluster: OneNode) -> bool:
    """Whether a Job that is deleted amid it keeps what it has measured, and its pod soon ends.

    Measuring is the first process of its pod, which no signal ends that it does not ask for.
    """
    path = cluster.volume / "stopped" / f"{NODE}.jsonl"
    _apply(cluster, _manifest("stopped", LONG))
    wait_until(
        lambda: path.exists() and run_file.read(path).cases, "nothing was measured",
        within=_PATIENCE, every=0.5,
    )  # fmt: skip
    began = time.monotonic()
    cluster.kubectl("delete", "job", "stopped", "-n", NAMESPACE)
    wait_until(
        lambda: not cluster.pods_of(NAMESPACE, "stopped"), "a deleted Job's pod is there",
        within=_PATIENCE, every=0.2,
    )  # fmt: skip
    took, run = time.monotonic() - began, run_file.read(path)
    print(f"Job stopped: gone {took:.0f} s after it was deleted, {len(run.cases)} cases are kept")
    return took < GRACE and not run.finished and all(case.status == "ok" for case in run.cases)


def _has_rights(cluster: OneNode, account: str, what: Sequence[str], expected: bool) -> bool:
    """Whether the API server lets an account of the manifest's do what it should, and no more."""
    verb, group, resource, below = what
    asked = {"namespace": NAMESPACE, "verb": verb, "group": group, "resource": resource}
    spec = {
        "user": f"system:serviceaccount:{account}",
        "resourceAttributes": asked | {"subresource": below},
    }
    review = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    may = bool(cluster.client.demand("POST", review, {"spec": spec}).said()["status"]["allowed"])
    print(
        f"{account} may{'' if may else ' not'} {verb} {resource}{below and f'/{below}'}"
        f"{'' if may == expected else ', WRONG'}"
    )
    return may == expected


def _manifest(name: str, arguments: Sequence[str]) -> str:
    argv = [sys.executable, "-m", "cnbench", "fleet", "manifest", "--image", IMAGE, "--nodes", "1"]
    return subprocess.run(
        [*argv, "--name", name, "--namespace", NAMESPACE, "--", *arguments],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def _apply(cluster: OneNode, manifest: str) -> None:
    # Kubernetes 1.20 knows of no Job with an index: kubectl would refuse what the server ignores.
    cluster.kubectl("apply", "--validate=false", "-f", "-", given=manifest)


def _said(pods: Sequence[Object]) -> str:
    """How the containers of ``pods`` have ended, and what they said last where that is known."""
    ends = []
    for pod in pods:
        for container in pod["status"].get("containerStatuses", []):
            ended = container["state"].get("terminated", {})
            words = " ".join(str(ended.get("message", "")).split())
            ends.append(f"exit code {ended.get('exitCode')} {words}".strip())
    return f"{len(pods)} pod(s): {'; '.join(ends)}"


def _left(lab: Lab) -> list[str]:
    name = f"{MARK}{lab.journal.run}"
    found = [*Path("/sys/fs/cgroup").glob(f"*/{name}"), *lab.folder.parent.glob(name)]
    return [str(path) for path in found if path.exists()]
