"""What parts of a request take, where the audit does not say it: by requests that end sooner.

The audit has when a request came and when it was answered. Between are authentication,
authorization, admission and etcd. A request that is refused as soon as it was allowed, since nobody
can read its body, is the first two. Of a member of system:masters it is authentication alone: the
authorizer that knows that group is the first (k8s.io/apiserver, pkg/server/config.go). Admission is
what the API server's own figures have of a dry run, while nobody else creates anything; and etcd
what they have of storing Deployments, of which there is one at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from cnbench.control_plane.api.client import Client, RefusedError
from cnbench.control_plane.api.figures import Labels, total
from cnbench.control_plane.servers.audit import COMPLETE, Audit, Line
from cnbench.experiments.reconcile import deployment
from cnbench.lab.waiting import wait_until

_NO_TYPE = "application/none"
_UNSUPPORTED_MEDIA_TYPE = 415
_REFUSALS = 9
_ADMISSION = "apiserver_admission_step_admission_duration_seconds_sum"
_ETCD = "etcd_request_duration_seconds_sum"
_PATIENCE = 30.0


def refused(whose: Client, audit: Audit) -> int:
    """Nanoseconds from a request for a Deployment until it was allowed; the median of some.

    Raises:
        CnbenchError: the API server does something else with such a request.
    """
    audit.skip()
    for _ in range(_REFUSALS):
        reply = whose.ask("POST", deployment.PATH, {}, content=_NO_TYPE)
        if reply.status != _UNSUPPORTED_MEDIA_TYPE:
            raise RefusedError("a body that nobody can read", reply)
    lines: list[Line] = []

    def all_there() -> bool:
        lines.extend(line for line in audit.new_lines() if _is_refusal(line))
        return len(lines) == _REFUSALS

    wait_until(all_there, "the audit lacks a refusal", within=_PATIENCE, every=0.002)
    return round(median(line.at - line.came for line in lines))


def _is_refusal(line: Line) -> bool:
    return (line.stage, line.code) == (COMPLETE, _UNSUPPORTED_MEDIA_TYPE)


def admission(user: Client, admin: Client, name: str, replicas: int) -> int:
    """Nanoseconds in all plug-ins for the creation of a Deployment; raises CnbenchError."""
    before = _seconds(admin, _ADMISSION, _of_creations)
    wanted = deployment.body(name, replicas)
    user.demand("POST", f"{deployment.PATH}?dryRun=All", wanted)
    return round((_seconds(admin, _ADMISSION, _of_creations) - before) * 1e9)


def storing(admin: Client) -> int:
    """Nanoseconds that the API server has waited for etcd to store Deployments so far."""
    return round(_seconds(admin, _ETCD, _of_stored_deployments) * 1e9)


def _seconds(admin: Client, name: str, counts: Callable[[Labels], bool]) -> float:
    return total(admin.demand("GET", "/metrics").body.decode(), name, counts)


def _of_creations(labels: Labels) -> bool:
    return labels["operation"] == "CREATE"


def _of_stored_deployments(labels: Labels) -> bool:
    return labels["operation"] == "create" and "Deployment" in labels.get("type", "")
