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
from cnbench.network.ipv6 import enable_ipv6
from cnbench.network.neighbours import acquaint
from cnbench.network.service_addresses import IPV4, PathAddresses

POD_CIDR = IPV4.network
CLIENTS = IPV4.clients
# The node's devices towards client and backend.
NODE_ENDS = ("vethclient", "vethbackend")


@dataclass(frozen=True)
class ServicePath:
    """The three namespaces, joined and routed."""

    client: NetworkNamespace
    node: NetworkNamespace
    backend: NetworkNamespace


@contextlib.contextmanager
def open_service_path(
    lab: Lab, endpoints: Sequence[str], families: Sequence[PathAddresses] = (IPV4,)
) -> Iterator[ServicePath]:
    """A path without any rules, whose backend is every address of the networks ``endpoints``.

    Those are of the ``families`` that the path has.
    """
    with (
        lab.network_namespace("client") as client,
        lab.network_namespace("node") as node,
        lab.network_namespace("backend") as backend,
    ):
        path = ServicePath(client, node, backend)
        if any(family.six for family in families):
            for namespace in (client, node, backend):
                enable_ipv6(namespace)
        to_client, to_backend = NODE_ENDS
        join(client, "eth0", node, to_client)
        join(backend, "eth0", node, to_backend)
        for family in families:
            _address(path, family)
        acquaint(client, "eth0", node, to_client)
        acquaint(backend, "eth0", node, to_backend)
        for family in families:
            _route(path, family, [n for n in endpoints if (":" in n) == family.six])
        yield path


def _address(path: ServicePath, family: PathAddresses) -> None:
    to_client, to_backend = NODE_ENDS
    bits = family.link_bits
    for source in family.clients:
        address(path.client, "eth0", f"{source}/{bits}")
    address(path.node, to_client, f"{family.client_gateway}/{bits}")
    address(path.node, to_backend, f"{family.backend_gateway}/{bits}")
    address(path.backend, "eth0", f"{family.backend}/{bits}")


def _route(path: ServicePath, family: PathAddresses, endpoints: Sequence[str]) -> None:
    for network in endpoints:
        local_route(path.backend, network)
        route_via(path.node, network, family.backend)
    everywhere = "::/0" if family.six else "default"
    route_via(path.client, everywhere, family.client_gateway)
    route_via(path.backend, everywhere, family.backend_gateway)
    path.node.sysctl("net.ipv6.conf.all.forwarding" if family.six else "net.ipv4.ip_forward", 1)
