"""A client pod, a node, and a backend: the way of a connection to a service.

    client ---- node ---- backend

kube-proxy's rules are in the node alone, as they are on a real one, so that a packet from the
client walks PREROUTING, FORWARD and POSTROUTING there. The backend answers on whole networks of
addresses (local routes to them, "AnyIP"), so that there may be as many services and endpoints as
one likes, and the address that answered tells which of them was reached.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace, address, join, local_route, route_via
from cnbench.network.neighbours import acquaint

POD_CIDR = "10.128.0.0/9"
CLIENTS = [f"10.128.0.{host}" for host in range(2, 10)]
# The node's devices towards client and backend.
NODE_ENDS = ("vethclient", "vethbackend")
_CLIENT_GATEWAY = "10.128.0.1"
_BACKEND_GATEWAY = "10.128.0.17"
_BACKEND = "10.128.0.18"


@dataclass(frozen=True)
class ServicePath:
    """The three namespaces, joined and routed."""

    client: NetworkNamespace
    node: NetworkNamespace
    backend: NetworkNamespace


@contextlib.contextmanager
def open_service_path(lab: Lab, endpoints: Sequence[str]) -> Iterator[ServicePath]:
    """A path without any rules, whose backend is every address of the networks ``endpoints``."""
    with (
        lab.network_namespace("client") as client,
        lab.network_namespace("node") as node,
        lab.network_namespace("backend") as backend,
    ):
        to_client, to_backend = NODE_ENDS
        join(client, "eth0", node, to_client)
        join(backend, "eth0", node, to_backend)
        for source in CLIENTS:
            address(client, "eth0", f"{source}/28")
        address(node, to_client, f"{_CLIENT_GATEWAY}/28")
        address(node, to_backend, f"{_BACKEND_GATEWAY}/28")
        address(backend, "eth0", f"{_BACKEND}/28")
        acquaint(client, "eth0", node, to_client)
        acquaint(backend, "eth0", node, to_backend)
        for network in endpoints:
            local_route(backend, network)
            route_via(node, network, _BACKEND)
        route_via(client, "default", _CLIENT_GATEWAY)
        route_via(backend, "default", _BACKEND_GATEWAY)
        node.sysctl("net.ipv4.ip_forward", 1)
        yield ServicePath(client, node, backend)
