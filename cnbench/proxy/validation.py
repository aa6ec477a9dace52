"""Refusing services that no proxy could program, in the words of whoever wrote them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_network

from cnbench.core.errors import ServiceError
from cnbench.proxy.family import Family
from cnbench.proxy.model import Service, ServiceKey, ServicePort, addresses

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


def validate(services: Iterable[Service], *, mode: str, family: Family = Family.IPV4) -> None:
    """Refuse services that kube-proxy could not program in ``mode``.

    Raises:
        ServiceError: a name that Kubernetes does not allow, a service or port defined twice, two
            services at one address and port, an address that is none or of the other family, a
            port out of range, an unknown protocol, a source range that is none, or a session
            affinity beyond a day; the message names the service.
    """
    claims = _Claims()
    seen: set[ServiceKey] = set()
    check = _Check(mode, family)
    for service in services:
        owner = f"service {service.key}"
        if service.key in seen:
            raise ServiceError(f"{owner}: defined twice")
        seen.add(service.key)
        check.service(service, owner)
        for port in service.ports:
            named = f"service {service.port_name(port)}"
            check.port(port, named)
            for address in addresses(service):
                claims.claim(address, port.protocol, port.port, named)
            if port.node_port:
                claims.claim("", port.protocol, port.node_port, named)


@dataclass(frozen=True, slots=True)
class _Check:
    """What one proxier's program can hold."""

    mode: str
    family: Family

    def service(self, service: Service, owner: str) -> None:
        for name in (service.namespace, service.name):
            _check_name(name, owner)
        if not service.headless and not service.ports:
            raise ServiceError(f"{owner}: has no port")
        names = Counter(port.name for port in service.ports)
        for name, count in names.items():
            if count > 1:
                raise ServiceError(f"{owner}: {count} ports have the name '{name}'")
        for address in addresses(service):
            self._address(address, owner)
        for text in service.source_ranges:
            self._range(text, owner)
        if not 0 <= service.affinity_seconds <= LONGEST_AFFINITY_SECONDS:
            raise ServiceError(
                f"{owner}: session affinity of {service.affinity_seconds} s is not "
                f"between 1 and {LONGEST_AFFINITY_SECONDS}"
            )
        if service.health_check_node_port:
            _check_number(service.health_check_node_port, f"{owner}, health check node port")

    def port(self, port: ServicePort, owner: str) -> None:
        if port.name:
            _check_name(port.name, owner)
        if port.protocol not in PROTOCOLS:
            raise ServiceError(
                f"{owner}: protocol '{port.protocol}' is none of {', '.join(PROTOCOLS)}"
            )
        _check_number(port.port, owner)
        if port.node_port:
            _check_number(port.node_port, f"{owner}, node port")
        for endpoint in port.endpoints:
            self._address(endpoint.address, f"{owner}, endpoint")
            _check_number(endpoint.port, f"{owner}, endpoint {endpoint.address}")

    def _address(self, address: str, owner: str) -> None:
        if not address:
            raise ServiceError(f"{owner}: has no address")
        if _parses(_ADDRESSES[self.family], address):
            return
        other = self.family.other
        if _parses(_ADDRESSES[other], address):
            raise ServiceError(
                f"{owner}: {address} is an {other.shown} address, and this {self.mode} program is"
                f" for {self.family.shown}",
                f"give the service an {self.family.shown} address, or leave it out",
            )
        raise ServiceError(f"{owner}: '{address}' is not an IP address")

    def _range(self, text: str, owner: str) -> None:
        if (
            not _parses(ip_network, text)
            or "%" in text
            or (":" in text) != (self.family is Family.IPV6)
        ):
            raise ServiceError(
                f"{owner}: '{text}' is not an {self.family.shown} range that"
                f" {self.mode} could match"
            )


def _without_scope(text: str) -> IPv6Address:
    if "%" in text:
        raise ValueError("an address of one host's link, whose name may be any text")
    return IPv6Address(text)


_ADDRESSES: dict[Family, Callable[[str], object]] = {
    Family.IPV4: IPv4Address,
    Family.IPV6: _without_scope,
}


def _check_name(name: str, owner: str) -> None:
    if not _LABEL.fullmatch(name):
        raise ServiceError(
            f"{owner}: '{name}' is not a name; lower-case letters, digits and dashes are, up to 63"
        )


def _check_number(port: int, owner: str) -> None:
    if not 1 <= port <= HIGHEST_PORT:
        raise ServiceError(f"{owner}: port {port} is not between 1 and {HIGHEST_PORT}")


def _parses(parser: Callable[[str], object], text: str) -> bool:
    try:
        parser(text)
    except ValueError:
        return False
    return True
