"""Refusing services that no proxy could program, in the words of whoever wrote them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from cnbench.proxy.model import Service, ServiceError, ServiceKey, ServicePort, addresses

PROTOCOLS = ("tcp", "udp", "sctp")
HIGHEST_PORT = 65535
LONGEST_AFFINITY_SECONDS = 86400

# RFC 1123's label: what Kubernetes allows, and all that may enter a program's text.
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(slots=True)
class _Claims:
    """Who has claimed each address and port so far; node ports have no address."""

    owners: dict[tuple[str, str, int], str] = field(default_factory=dict)

    def claim(self, address: str, protocol: str, port: int, owner: str) -> None:
        first = self.owners.setdefault((address, protocol, port), owner)
        if first is not owner:
            where = f"{address}:{port}" if address else f"node port {port}"
            raise ServiceError(f"{owner}: {where}/{protocol} is already that of {first}")


def validate(services: Iterable[Service], *, mode: str) -> None:
    """Refuse services that kube-proxy could not program in ``mode``.

    Raises ServiceError, naming the service, for a name that Kubernetes does not allow, a service
    or port defined twice, two services at one address and port, an address that is none or is
    IPv6 (every mode here is written for IPv4), a port out of range, an unknown protocol, a source
    range that is none, and a session affinity beyond a day.
    """
    claims = _Claims()
    seen: set[ServiceKey] = set()
    for service in services:
        owner = f"service {service.key}"
        if service.key in seen:
            raise ServiceError(f"{owner}: defined twice")
        seen.add(service.key)
        _check_service(service, owner, mode)
        for port in service.ports:
            named = f"service {service.port_name(port)}"
            _check_port(port, named, mode)
            for address in addresses(service):
                claims.claim(address, port.protocol, port.port, named)
            if port.node_port:
                claims.claim("", port.protocol, port.node_port, named)


def _check_service(service: Service, owner: str, mode: str) -> None:
    for name in (service.namespace, service.name):
        _check_name(name, owner)
    if not service.headless and not service.ports:
        raise ServiceError(f"{owner}: has no port")
    names = Counter(port.name for port in service.ports)
    for name, count in names.items():
        if count > 1:
            raise ServiceError(f"{owner}: {count} ports have the name {name!r}")
    for address in addresses(service):
        _check_address(address, owner, mode)
    for text in service.source_ranges:
        _check_range(text, owner, mode)
    if not 0 <= service.affinity_seconds <= LONGEST_AFFINITY_SECONDS:
        raise ServiceError(
            f"{owner}: session affinity of {service.affinity_seconds} s is not "
            f"between 1 and {LONGEST_AFFINITY_SECONDS}"
        )
    if service.health_check_node_port:
        _check_number(service.health_check_node_port, f"{owner}, health check node port")


def _check_port(port: ServicePort, owner: str, mode: str) -> None:
    if port.name:
        _check_name(port.name, owner)
    if port.protocol not in PROTOCOLS:
        raise ServiceError(f"{owner}: protocol {port.protocol!r} is none of {', '.join(PROTOCOLS)}")
    _check_number(port.port, owner)
    if port.node_port:
        _check_number(port.node_port, f"{owner}, node port")
    for endpoint in port.endpoints:
        _check_address(endpoint.address, f"{owner}, endpoint", mode)
        _check_number(endpoint.port, f"{owner}, endpoint {endpoint.address}")


def _check_name(name: str, owner: str) -> None:
    if not _LABEL.fullmatch(name):
        raise ServiceError(
            f"{owner}: {name!r} is not a name; lower-case letters, digits and dashes are, up to 63"
        )


def _check_number(port: int, owner: str) -> None:
    if not 1 <= port <= HIGHEST_PORT:
        raise ServiceError(f"{owner}: port {port} is not between 1 and {HIGHEST_PORT}")


def _check_address(address: str, owner: str, mode: str) -> None:
    if not address:
        raise ServiceError(f"{owner}: has no address")
    if _parses(IPv4Address, address):
        return
    if _parses(IPv6Address, address):
        raise ServiceError(
            f"{owner}: {address} is an IPv6 address, and the {mode} program is for IPv4",
            "give the service an IPv4 address, or leave it out",
        )
    raise ServiceError(f"{owner}: {address!r} is not an IP address")


def _check_range(text: str, owner: str, mode: str) -> None:
    if not _parses(IPv4Network, text):
        raise ServiceError(f"{owner}: {text!r} is not an IPv4 range that {mode} could match")


def _parses(kind: type[IPv4Address | IPv6Address | IPv4Network], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True
