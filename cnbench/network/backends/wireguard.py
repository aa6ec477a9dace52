"""wireguard: flannel's WireGuard backend, an encrypted tunnel to the other node.

Facts from flannel's wireguard backend (pkg/backend/wireguard): device flannel-wg, port 51820, an
MTU of 80 bytes less (it makes room for IPv6), the first address of the pod network, one route to
all pods by the device, and each peer's pod network as what it may send.
"""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Iterator
from typing import Any

from cnbench.core.proof import Check, equal
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace, address
from cnbench.network.backend import Backend, Encapsulation, require_kind
from cnbench.network.devices import links
from cnbench.network.topology import NetworkNode, Topology

_DEVICE = "flannel-wg"
_PORT = 51820
_ALL_PODS = "10.32.0.0/16"
_ROOM = 80
# WireGuard's paper, section 5.4.6: type, receiver and counter 16, authentication tag 16; and the
# packet inside is padded to a multiple of 16. Around that UDP 8, IPv4 20.
_OVERHEAD = 16 + 16 + 8 + 20
_PADDED_TO = 16
_KEY_BYTES = 32


@contextlib.contextmanager
def _wireguard(namespace: NetworkNamespace) -> Iterator[Any]:
    from pyroute2 import WireGuard

    with namespace.entered():
        # Its socket stays in the namespace that it was made in.
        wireguard = WireGuard()
    try:
        yield wireguard
    finally:
        wireguard.close()


def _peers(namespace: NetworkNamespace) -> list[Any]:
    """The peers of the device, as the kernel tells them."""
    with _wireguard(namespace) as wireguard:
        told = wireguard.info(_DEVICE)
    return [peer for part in told for peer in part.get("WGDEVICE_A_PEERS") or ()]


def _public_key(namespace: NetworkNamespace) -> str:
    with _wireguard(namespace) as wireguard:
        key: bytes = wireguard.info(_DEVICE)[0].get("WGDEVICE_A_PUBLIC_KEY")
    return key.decode()


def _install(topology: Topology) -> None:
    for node in topology.nodes:
        links.make(node.namespace, _DEVICE, "wireguard")
        links.set_link(node.namespace, _DEVICE, mtu=topology.mtu - _ROOM)
        address(node.namespace, _DEVICE, f"{node.tunnel_address}/32")
        with _wireguard(node.namespace) as wireguard:
            key = base64.b64encode(os.urandom(_KEY_BYTES)).decode()
            wireguard.set(_DEVICE, private_key=key, listen_port=_PORT)
        with links.link(node.namespace, _DEVICE) as (route, index):
            route.route("add", dst=_ALL_PODS, oif=index, scope="link")
    for node, peer in topology.pairs:
        with _wireguard(node.namespace) as wireguard:
            wireguard.set(
                _DEVICE,
                peer={
                    "public_key": _public_key(peer.namespace),
                    "endpoint_addr": peer.address,
                    "endpoint_port": _PORT,
                    "allowed_ips": [peer.pod_network],
                },
            )


def _checks(topology: Topology) -> tuple[Check, ...]:
    return tuple(_check(node, peer) for node, peer in topology.pairs)


def _check(node: NetworkNode, peer: NetworkNode) -> Check:
    return equal(
        f"peers on {_DEVICE} of {node.namespace.name} (key, endpoint, allowed), read back",
        [(_public_key(peer.namespace), f"{peer.address}:{_PORT}", [peer.pod_network])],
        [_described(peer) for peer in _peers(node.namespace)],
    )


def _described(peer: Any) -> tuple[str, str, list[str]]:
    endpoint = peer.get("WGPEER_A_ENDPOINT")
    return (
        peer.get("WGPEER_A_PUBLIC_KEY").decode(),
        f"{endpoint['addr']}:{endpoint['port']}",
        [allowed["addr"] for allowed in peer.get("WGPEER_A_ALLOWEDIPS") or ()],
    )


def _require(lab: Lab) -> None:
    require_kind(lab, "wireguard")


BACKEND = Backend(
    name="wireguard",
    summary="flannel's wireguard: an encrypted tunnel, UDP port 51820",
    encapsulation=lambda hops: Encapsulation(
        "wireguard", _OVERHEAD, _DEVICE, spare=_ROOM - _OVERHEAD, padded_to=_PADDED_TO, opaque=True
    ),
    install=_install,
    checks=_checks,
    require=_require,
)
