"""The endpoints of a service port, out of its service's slices: pkg/proxy/endpointslicecache.go."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv6Address

from cnbench.core.errors import ServiceError
from cnbench.proxy.family import family_of
from cnbench.proxy.model import Endpoint
from cnbench.proxy.node import Node
from cnbench.proxy.objects.fields import Fields, KubernetesObject
from cnbench.proxy.objects.hints import Hinted, heeding_hints, hints_asked_for


def endpoints_of(
    port: Fields, service: KubernetesObject, slices: Sequence[KubernetesObject], node: Node
) -> Iterable[Endpoint]:
    """Give the endpoints behind one port of a service, each once, as ``node`` sees them.

    Those of the other family are left out.

    Raises:
        ServiceError: an endpoint has no address, or a field is not what it should be.
    """
    name, protocol = port.text("name"), _protocol(port)
    found: dict[tuple[str, int], Hinted] = {}
    for each in slices:
        for hinted in _endpoints(each, name, protocol, node):
            at = hinted.endpoint.address, hinted.endpoint.port
            # kube-proxy keeps the first, unless a later one says that it is local.
            if at not in found or hinted.endpoint.local:
                found[at] = hinted
    return heeding_hints([*found.values()], node, asked=hints_asked_for(service))


def _endpoints(
    found: KubernetesObject, port_name: str, protocol: str, node: Node
) -> Iterator[Hinted]:
    if found.text("addressType") == "FQDN":
        return
    for port in found.each("ports"):
        if (port.text("name"), _protocol(port)) != (port_name, protocol):
            continue
        for endpoint in found.each("endpoints"):
            address = _address(endpoint)
            if family_of(address) is node.family:
                yield _hinted(endpoint, address, port.number("port"), node)


def _hinted(endpoint: Fields, address: str, port: int, node: Node) -> Hinted:
    conditions, hints = endpoint.fields("conditions"), endpoint.fields("hints")
    return Hinted(
        Endpoint(
            address=address,
            port=port,
            local=bool(node.name) and endpoint.text("nodeName") == node.name,
            ready=conditions.flag("ready", missing=True),
            serving=conditions.flag("serving", missing=True),
            terminating=conditions.flag("terminating", missing=False),
        ),
        frozenset(zone.text("name") for zone in hints.each("forZones")),
        frozenset(each.text("name") for each in hints.each("forNodes")),
    )


def _address(endpoint: Fields) -> str:
    addresses = endpoint.texts("addresses")
    if not addresses or not addresses[0]:
        raise ServiceError(f"{endpoint.owner}: has no address")
    with contextlib.suppress(ValueError):
        return str(IPv6Address(addresses[0]))
    return addresses[0]  # kube-proxy takes no other


def _protocol(port: Fields) -> str:
    return (port.text("protocol") or "TCP").lower()
