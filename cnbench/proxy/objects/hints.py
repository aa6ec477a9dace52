"""Hints of slices: which of a service port's endpoints this node's traffic is led to.

Facts from kubernetes/kubernetes, pkg/proxy/topology.go: canUseTopology (up to release 1.30) and
topologyModeFromHints (since 1.33; what it says of zones holds since 1.31).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from cnbench.proxy.model import Endpoint
from cnbench.proxy.node import Node
from cnbench.proxy.objects.fields import KubernetesObject

# The second is the first's name up to 1.26, which later releases look at before it.
_MODE = "service.kubernetes.io/topology-mode"
_OLD_MODE = "service.kubernetes.io/topology-aware-hints"


class Hinted(NamedTuple):
    """An endpoint, and the zones and nodes that its slice hints it for."""

    endpoint: Endpoint
    zones: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()


def hints_asked_for(service: KubernetesObject) -> bool:
    """Whether a service asks by annotation that hints be heeded, as it must up to 1.30."""
    mode = service.annotations.text(_OLD_MODE) or service.annotations.text(_MODE)
    return mode not in ("", "disabled", "Disabled")


def heeding_hints(found: Sequence[Hinted], node: Node, *, asked: bool) -> Iterable[Endpoint]:
    """Give the endpoints of one service port, those far that hints lead ``node`` away from.

    Hints are heeded only where every ready endpoint has some, and one leads to this very node (or
    zone). ``asked`` says whether the service asks for that by annotation.
    """
    ready = [each for each in found if each.endpoint.ready]
    if ready and node.release.heeds_node_hints and _lead_here([e.nodes for e in ready], node.name):
        return [_near(each, node.name in each.nodes) for each in found]
    zones_count = asked or not node.release.asks_for_annotation
    if ready and zones_count and _lead_here([each.zones for each in ready], node.zone):
        return [_near(each, node.zone in each.zones) for each in found]
    return [each.endpoint for each in found]


def _lead_here(hints: Sequence[frozenset[str]], name: str) -> bool:
    return bool(name) and all(hints) and any(name in each for each in hints)


def _near(each: Hinted, near: bool) -> Endpoint:
    # What is not ready takes traffic as the last resort only, wherever it is.
    return each.endpoint if near or not each.endpoint.ready else replace(each.endpoint, near=False)
