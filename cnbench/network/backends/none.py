"""none: the nodes themselves talk across the underlay, as a control for all that have pods."""

from __future__ import annotations

from cnbench.core.proof import Check, equal
from cnbench.network.backend import PLAIN, Backend
from cnbench.network.topology import Topology


def _install(topology: Topology) -> None:
    """Nothing: the underlay is all there is."""


def _checks(topology: Topology) -> tuple[Check, ...]:
    return tuple(
        equal(f"{node.namespace.name} itself sends and receives", node.address, node.pod_address)
        for node in topology.nodes
    )


BACKEND = Backend(
    name="none",
    summary="node to node on the underlay, no pods",
    encapsulation=lambda hops: PLAIN,
    install=_install,
    checks=_checks,
    attachment="none",
)
