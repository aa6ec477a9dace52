"""geneve: a Geneve tunnel without options to the other node, and a route to its pods by that."""

from __future__ import annotations

from cnbench.core.proof import Check
from cnbench.lab.host import Lab
from cnbench.network import frame_tunnel
from cnbench.network.backend import Backend, Encapsulation, require_kind
from cnbench.network.topology import NetworkNode, Topology

_DEVICE = "geneve1"
_VNI = 1
# RFC 8926: UDP port 6081; Ethernet 14 (the inner one), Geneve 8, UDP 8, IPv4 20.
_PORT = 6081
_OVERHEAD = 14 + 8 + 8 + 20


def _settings(remote: str) -> dict[str, object]:
    return {"geneve_id": _VNI, "geneve_remote": remote, "geneve_port": _PORT}


def _device_of(node: NetworkNode, peer: NetworkNode) -> dict[str, object]:
    return _settings(peer.address)


def _install(topology: Topology) -> None:
    frame_tunnel.install(topology, "geneve", _DEVICE, _OVERHEAD, _device_of)


def _checks(topology: Topology) -> tuple[Check, ...]:
    one, other = (frame_tunnel.checks(*pair, _DEVICE) for pair in topology.pairs)
    return one + other


def _require(lab: Lab) -> None:
    require_kind(lab, "geneve", **_settings("192.168.1.12"))


BACKEND = Backend(
    name="geneve",
    summary="a Geneve tunnel between the nodes, UDP port 6081, no options",
    encapsulation=lambda hops: Encapsulation("geneve", _OVERHEAD, _DEVICE),
    install=_install,
    checks=_checks,
    require=_require,
)
