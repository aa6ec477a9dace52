"""The steps of a change, from what the API server and kube-proxy wrote of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cnbench.control_plane.api.figures import total
from cnbench.control_plane.servers.audit import COMPLETE, Line
from cnbench.control_plane.servers.proxy import Sync
from cnbench.core.errors import CnbenchError
from cnbench.experiments.service_change.grid import STEPS

STATUS, SLICES = "pods/status", "endpointslices"
_CHANGES = ("create", "update", "patch")
_FEWEST_REFUSED = 300


def queued(text: str) -> int:
    """When kube-proxy was told of a change last, as it says, in ns of CLOCK_REALTIME."""
    return round(total(text, "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds") * 1e9)


def written(lines: Sequence[Line], resource: str, name: str) -> list[Line]:
    """The answers to changes of ``resource`` whose name begins with ``name``, by their times."""
    found = [
        line
        for line in lines
        if (line.stage, line.resource) == (COMPLETE, resource)
        and line.verb in _CHANGES
        and 0 < line.code < _FEWEST_REFUSED
        and line.name.startswith(name)
    ]
    return sorted(found, key=lambda line: line.at)


@dataclass(frozen=True)
class Programmed:
    """What is known of a change beside the audit, in ns of CLOCK_REALTIME.

    Attributes:
        queued: when kube-proxy was told of it.
        sync: the sync that programmed it.
        first: when the first packet took the new way.
    """

    queued: int
    sync: Sync
    first: int


def steps(
    lines: Sequence[Line], pod: str, service: str, programmed: Programmed
) -> Mapping[str, int]:
    """The time of each of ``STEPS``, and of the whole, in ns.

    Args:
        lines: the audit of the change.
        pod: whose status was written.
        service: whose EndpointSlice was written.
        programmed: what else is known of it.

    Raises:
        CnbenchError: the audit lacks a step.
    """
    ours, slices = written(lines, STATUS, pod), written(lines, SLICES, f"{service}-")
    if not ours or not slices:
        raise CnbenchError(f"the audit lacks the change of {'the slice' if ours else 'the pod'}")
    sync, first = programmed.sync, programmed.first
    moments = (ours[0].came, ours[0].at, slices[0].at, programmed.queued, sync.began, first)
    took = {step: pair[1] - pair[0] for step, pair in zip(STEPS, pairwise(moments), strict=True)}
    return {"whole": first - ours[0].came, **took, "sync": sync.ended - sync.began}
