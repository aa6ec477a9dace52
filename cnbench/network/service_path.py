"""A client pod, a node, and a backend pod: the way of a connection to a service.

    client ---- node ---- backend

kube-proxy's rules are in the node alone, as they are on a real one, so that a packet from the
client walks PREROUTING, FORWARD and POSTROUTING there. The backend answers on a whole network of
addresses (a local route to it, "AnyIP"), so that a service may have as many endpoints as it likes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace, address, join, local_route, route_via

POD_CIDR = "10.128.0.0/9"
# The high end of the pod network: made-up endpoints are counted up from its low end.
BACKENDS = IPv4Network("10.255.0.0/16")
CLIENTS = [f"10.128.0.{host}" for host in range(2, 10)]
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
def open_service_path(lab: Lab) -> Iterator[ServicePath]:
    """A path without any rules."""
    with (
        lab.network_namespace("client") as client,
        lab.network_namespace("node") as node,
        lab.network_namespace("backend") as backend,
    ):
        join(client, "eth0", node, "vethclient")
        join(backend, "eth0", node, "vethbackend")
        for source in CLIENTS:
            address(client, "eth0", f"{source}/28")
        address(node, "vethclient", f"{_CLIENT_GATEWAY}/28")
        address(node, "vethbackend", f"{_BACKEND_GATEWAY}/28")
        address(backend, "eth0", f"{_BACKEND}/28")
        local_route(backend, str(BACKENDS))
        route_via(client, "default", _CLIENT_GATEWAY)
        route_via(backend, "default", _BACKEND_GATEWAY)
        route_via(node, str(BACKENDS), _BACKEND)
        node.sysctl("net.ipv4.ip_forward", 1)
        yield ServicePath(client, node, backend)
