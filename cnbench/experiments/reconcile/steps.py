"""The steps of a Deployment, from what the servers wrote of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cnbench.control_plane.cluster import NAMESPACE
from cnbench.control_plane.servers.audit import COMPLETE, Line
from cnbench.core.errors import CnbenchError
from cnbench.experiments.reconcile.grid import STEPS

DEPLOYMENTS, REPLICASETS, PODS, BINDINGS = "deployments", "replicasets", "pods", "pods/binding"
_CREATED = 201


@dataclass(frozen=True)
class Around:
    """What is known of a Deployment's way beside the audit, in ns.

    Attributes:
        started: when kubectl was, by CLOCK_REALTIME.
        authentication: of a request with a certificate.
        authorization: of a request of the same user for the same.
        admission: of a dry run, in all plug-ins.
        etcd: of the call that stored the Deployment.
    """

    started: int
    authentication: int
    authorization: int
    admission: int
    etcd: int


def created(lines: Sequence[Line], resource: str, name: str) -> list[Line]:
    """The answers to successful creations for the Deployment ``name``, by their times.

    All that it owns is called as it, with something behind that. Pods get their names only after
    the audit has noted what is asked for: without a name they are taken for its own, since there
    is one Deployment at a time.
    """
    found = [
        line
        for line in lines
        if (line.stage, line.verb, line.resource) == (COMPLETE, "create", resource)
        and (line.namespace, line.code) == (NAMESPACE, _CREATED)
        and (f"{line.name}-".startswith(f"{name}-") or (resource == PODS and not line.name))
    ]
    return sorted(found, key=lambda line: line.at)


def steps(lines: Sequence[Line], name: str, around: Around) -> Mapping[str, int]:
    """The time of each of ``STEPS``, of the whole, and of what is left of that, in ns.

    Args:
        lines: the audit, from the creation of the Deployment ``name`` to its last pod's binding.
        name: of the Deployment.
        around: what else is known of it.

    Raises:
        CnbenchError: the audit lacks a step.
    """
    deployment = _last(lines, DEPLOYMENTS, name)
    replicaset = _last(lines, REPLICASETS, name)
    pod = _last(lines, PODS, name)
    binding = _last(lines, BINDINGS, name)
    took = {
        "client": deployment.came - around.started,
        "authentication": around.authentication,
        "authorization": around.authorization,
        "admission": around.admission,
        "etcd": around.etcd,
        "replicaset": replicaset.at - deployment.at,
        "pods": pod.at - replicaset.at,
        "scheduling": binding.at - pod.at,
    }
    whole = binding.at - around.started
    return {"whole": whole, **took, "rest": whole - sum(took[step] for step in STEPS)}


def _last(lines: Sequence[Line], resource: str, name: str) -> Line:
    found = created(lines, resource, name)
    if not found:
        raise CnbenchError(f"the audit has no creation of {resource} for {name}")
    return found[-1]
