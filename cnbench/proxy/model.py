"""What kube-proxy knows of a cluster: services of one IP family, with their endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from cnbench.proxy.family import joined

# The packet mark of what is to be masqueraded: bit 14, kube-proxy's default.
MARK = "0x4000"


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
    """One backend of a service port, as the node that is programmed sees it.

    Attributes:
        address: of the backend.
        port: of the backend.
        local: it is on this very node.
        ready: as its slice says.
        serving: as its slice says.
        terminating: as its slice says.
        near: hints do not lead this node's traffic elsewhere (see `cnbench.proxy.objects.hints`).
    """

    address: str
    port: int
    local: bool = False
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    near: bool = True

    def __str__(self) -> str:
        return joined(self.address, self.port)


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
    """A Kubernetes service as one of kube-proxy's two proxiers sees it.

    Attributes:
        namespace: of the service.
        name: of the service.
        cluster_ip: empty for a headless service, which kube-proxy does not program at all.
        ports: in the order of the object.
        affinity_seconds: 0 without session affinity, and else how long a client keeps its endpoint
            (Kubernetes' default is 10800).
        external_ips: further addresses that the user gave it.
        load_balancer_ips: those that its load balancer gave it.
        source_ranges: who may come by the load balancer; empty for everybody.
        internal_policy: which endpoints take traffic to the cluster IP.
        external_policy: which endpoints take traffic to all else.
        health_check_node_port: where the load balancer asks for local endpoints; 0 for nowhere.
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


class Reach(NamedTuple):
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
    do. Of the whole cluster's ready ones those that hints lead this node's traffic to.
    """
    endpoints = port.endpoints
    cluster: Sequence[Endpoint] = ()
    if uses_cluster_endpoints(service, port):
        cluster = [e for e in endpoints if e.ready and e.near] or _last_resort(endpoints)
    if not uses_local_endpoints(service, port):
        return Reach(cluster, (), cluster, bool(cluster))
    local = _usable([endpoint for endpoint in endpoints if endpoint.local])
    known = set(cluster)
    chained = (*cluster, *(endpoint for endpoint in local if endpoint not in known))
    return Reach(cluster, local, chained, bool(_usable(endpoints)))


def internal_endpoints(service: Service, port: ServicePort) -> Sequence[Endpoint]:
    """Give the endpoints that take what comes to the cluster IP."""
    found = reach(service, port)
    return found.local if service.internal_policy is TrafficPolicy.LOCAL else found.cluster


def _usable(endpoints: Sequence[Endpoint]) -> Sequence[Endpoint]:
    return [endpoint for endpoint in endpoints if endpoint.ready] or _last_resort(endpoints)


def _last_resort(endpoints: Sequence[Endpoint]) -> Sequence[Endpoint]:
    return [endpoint for endpoint in endpoints if endpoint.serving and endpoint.terminating]


def addresses(service: Service) -> Iterator[str]:
    """Every address that a service answers on: its cluster IP, then external, then load balancer's.

    A headless service has none.
    """
    if service.headless:
        return
    yield service.cluster_ip
    yield from service.external_ips
    yield from service.load_balancer_ips
