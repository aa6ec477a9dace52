"""What kube-proxy knows of a cluster: services with their endpoints, and the node it runs on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

from cnbench.core.errors import UsageError

PROTOCOLS = ("tcp", "udp", "sctp")
HIGHEST_PORT = 65535


class ServiceError(UsageError):
    """A service, or a file of services, that cannot be programmed; the message names the object."""


class TrafficPolicy(StrEnum):
    """Which endpoints traffic may reach: those of the whole cluster, or this node's alone."""

    CLUSTER = "Cluster"
    LOCAL = "Local"


class ServiceKey(NamedTuple):
    """What identifies a service in its cluster."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One backend of a service port: an address and a port, and what its slice says of it."""

    address: str
    port: int
    local: bool = False
    ready: bool = True
    serving: bool = True
    terminating: bool = False

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of a service and the endpoints behind it, in kube-proxy's order (as text)."""

    port: int
    endpoints: tuple[Endpoint, ...] = ()
    name: str = ""
    protocol: str = "tcp"
    node_port: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """A Kubernetes service as kube-proxy sees it.

    ``cluster_ip`` is empty for a headless service, which kube-proxy does not program at all.
    ``affinity_seconds`` is 0 without session affinity, and else how long a client keeps its
    endpoint (Kubernetes' default is 10800).
    """

    namespace: str
    name: str
    cluster_ip: str
    ports: tuple[ServicePort, ...]
    affinity_seconds: int = 0
    external_ips: tuple[str, ...] = ()
    load_balancer_ips: tuple[str, ...] = ()
    source_ranges: tuple[str, ...] = ()
    internal_policy: TrafficPolicy = TrafficPolicy.CLUSTER
    external_policy: TrafficPolicy = TrafficPolicy.CLUSTER
    health_check_node_port: int = 0

    @property
    def key(self) -> ServiceKey:
        """The service's namespace and name."""
        return ServiceKey(self.namespace, self.name)

    @property
    def headless(self) -> bool:
        """Whether the service has no cluster IP, so that no proxy ever sees its traffic."""
        return not self.cluster_ip

    def port_name(self, port: ServicePort) -> str:
        """What kube-proxy calls one port, in comments and in hashes: ``namespace/name:port``."""
        name = f"{self.namespace}/{self.name}"
        return f"{name}:{port.name}" if port.name else name


@dataclass(frozen=True, slots=True)
class Node:
    """The node that is programmed, as kube-proxy's own options describe it.

    ``pod_cidr`` is what tells local traffic (``--cluster-cidr``, empty when unknown); ``address``
    the node's primary one. ``node_port_addresses`` are the addresses that accept node ports; empty
    means all of them, which is the iptables mode's default. ``service_cidr`` is where nftables mode
    drops what belongs to no service (empty when unknown). ``nfacct`` says that the kernel has
    nfacct, which kube-proxy 1.32 and later counts dropped packets with.
    """

    pod_cidr: str = "10.128.0.0/9"
    address: str = "127.0.0.1"
    node_port_addresses: tuple[str, ...] = ()
    service_cidr: str = ""
    masquerade_all: bool = False
    nfacct: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """Which endpoints of a service port take traffic.

    ``cluster`` and ``local`` are the endpoints under each traffic policy, ``chained`` those that
    need a chain of their own, and ``any_usable`` whether some node of the cluster has a usable one.
    """

    cluster: Sequence[Endpoint]
    local: Sequence[Endpoint]
    chained: Sequence[Endpoint]
    any_usable: bool


def in_proxy_order(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """Sort endpoints as kube-proxy does: by the text ``address:port``."""
    return tuple(sorted(endpoints, key=str))


def externally_accessible(service: Service, port: ServicePort) -> bool:
    """Whether the port is reachable by anything but its cluster IP."""
    return bool(port.node_port or service.external_ips or service.load_balancer_ips)


def uses_cluster_endpoints(service: Service, port: ServicePort) -> bool:
    """Whether a chain over the whole cluster's endpoints is needed.

    It is also needed when external traffic stays local, since the node's own traffic takes a
    short way to the cluster's endpoints.
    """
    return service.internal_policy is TrafficPolicy.CLUSTER or externally_accessible(service, port)


def external_stays_local(service: Service, port: ServicePort) -> bool:
    """Whether traffic from outside may reach this node's endpoints only."""
    return service.external_policy is TrafficPolicy.LOCAL and externally_accessible(service, port)


def uses_local_endpoints(service: Service, port: ServicePort) -> bool:
    """Whether a chain over this node's endpoints is needed."""
    return service.internal_policy is TrafficPolicy.LOCAL or external_stays_local(service, port)


def reach(service: Service, port: ServicePort) -> Reach:
    """Sort a port's endpoints by traffic policy, as kube-proxy's CategorizeEndpoints does.

    Endpoints that are ready count; where there is none, those that still serve while terminating
    do. Topology hints are not modelled: kube-proxy applies them only on nodes with a zone label.
    """
    endpoints = port.endpoints
    cluster = _usable(endpoints) if uses_cluster_endpoints(service, port) else ()
    if not uses_local_endpoints(service, port):
        return Reach(cluster, (), cluster, bool(cluster))
    local = _usable([endpoint for endpoint in endpoints if endpoint.local])
    known = set(cluster)
    chained = (*cluster, *(endpoint for endpoint in local if endpoint not in known))
    return Reach(cluster, local, chained, bool(_usable(endpoints)))


def _usable(endpoints: Sequence[Endpoint]) -> Sequence[Endpoint]:
    ready = [endpoint for endpoint in endpoints if endpoint.ready]
    return ready or [e for e in endpoints if e.serving and e.terminating]


@dataclass(slots=True)
class _Claims:
    """Who has claimed each address and port so far."""

    owners: dict[tuple[str, str, int], str] = field(default_factory=dict)

    def claim(self, address: str, protocol: str, port: int, owner: str) -> None:
        first = self.owners.setdefault((address, protocol, port), owner)
        if first is not owner:
            where = f"node port {port}" if not address else f"{address}:{port}"
            raise ServiceError(
                f"service {owner}: {where}/{protocol} is already that of service {first}"
            )


def validate(services: Iterable[Service], *, mode: str) -> None:
    """Refuse services that kube-proxy could not program in ``mode``.

    Raises ServiceError, naming the service, for a duplicate address and port, a repeated name, an
    address that is none or is IPv6 (every mode here is written for IPv4), a port out of range,
    or an unknown protocol.
    """
    claims = _Claims()
    seen: set[ServiceKey] = set()
    for service in services:
        if service.key in seen:
            raise ServiceError(f"service {service.key}: defined twice")
        seen.add(service.key)
        _validate_service(service, mode, claims)


def _validate_service(service: Service, mode: str, claims: _Claims) -> None:
    owner = str(service.key)
    if not service.headless and not service.ports:
        raise ServiceError(f"service {owner}: has no port")
    for address in addresses(service):
        check_address(address, f"service {owner}", mode)
    for port in service.ports:
        named = f"service {service.port_name(port)}"
        if port.protocol not in PROTOCOLS:
            raise ServiceError(f"{named}: protocol {port.protocol!r} is none of {PROTOCOLS}")
        check_port(port.port, named)
        if port.node_port:
            check_port(port.node_port, f"{named}, node port")
            claims.claim("", port.protocol, port.node_port, owner)
        for address in addresses(service):
            claims.claim(address, port.protocol, port.port, owner)
        for endpoint in port.endpoints:
            check_address(endpoint.address, f"{named}, endpoint", mode)
            check_port(endpoint.port, f"{named}, endpoint {endpoint.address}")


def addresses(service: Service) -> Iterator[str]:
    """Every address that a service answers on: its cluster IP, then external, then load balancer's.

    A headless service has none.
    """
    if service.headless:
        return
    yield service.cluster_ip
    yield from service.external_ips
    yield from service.load_balancer_ips


def check_port(port: int, owner: str) -> None:
    """Raise ServiceError, naming the owner, for a port outside 1 to 65535."""
    if not 1 <= port <= HIGHEST_PORT:
        raise ServiceError(f"{owner}: port {port} is not between 1 and {HIGHEST_PORT}")


def check_address(address: str, owner: str, mode: str) -> None:
    """Raise ServiceError, naming the owner, for an address that ``mode`` cannot program."""
    try:
        IPv4Address(address)
    except AddressValueError:
        if not address:
            raise ServiceError(f"{owner}: has no address") from None
        try:
            IPv6Address(address)
        except AddressValueError:
            raise ServiceError(f"{owner}: {address!r} is not an IP address") from None
        raise ServiceError(
            f"{owner}: {address} is an IPv6 address, and the {mode} program is IPv4 only; "
            "take the service's IPv4 address instead"
        ) from None
