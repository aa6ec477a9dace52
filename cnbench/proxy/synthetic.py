"""Services made up for a measurement: as many as asked for, the same ones every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network

from cnbench.core.errors import UsageError
from cnbench.proxy.family import Family
from cnbench.proxy.model import Endpoint, Service, ServicePort, in_proxy_order

SERVICE_NETWORK = IPv4Network("10.96.0.0/12")
POD_NETWORK = IPv4Network("10.128.0.0/9")
# No larger than Kubernetes allows for services.
SERVICE_NETWORK6 = IPv6Network("fd00:10:96::/108")
POD_NETWORK6 = IPv6Network("fd00:10:128:1::/64")
NAMESPACE = "bench"
# Kubernetes gives the first addresses of the range to the API server and the cluster's DNS.
FIRST_SERVICE = 256
FIRST_POD = 256


@dataclass(frozen=True)
class _Ranges:
    """Where a family's made-up addresses are from."""

    services: IPv4Network | IPv6Network
    pods: IPv4Network | IPv6Network
    written: Callable[[int], str]


def synthetic_services(
    count: int,
    endpoints: int,
    *,
    protocol: str = "tcp",
    port: int = 80,
    target_port: int = 8080,
    backends: Mapping[int, Sequence[Endpoint]] | None = None,
    affinity_seconds: int = 0,
    family: Family = Family.IPV4,
) -> list[Service]:
    """Make ``count`` plain ClusterIP services of ``endpoints`` endpoints each.

    The service at index i is ``bench/svc-<i>`` with a cluster IP from 10.96.0.0/12. Endpoints are
    made-up pods in 10.128.0.0/9 (IPv6: fd00:10:96::/108 and fd00:10:128:1::/64), except those of
    the services in ``backends``: their index gives the real endpoints that a probe will reach.

    Raises:
        UsageError: the ranges hold fewer.
    """
    ranges = _RANGES[family]
    _check(count, endpoints, ranges)
    real, written = backends or {}, ranges.written
    service_base = int(ranges.services.network_address) + FIRST_SERVICE
    pod_base = int(ranges.pods.network_address) + FIRST_POD
    services = []
    for index in range(count):
        behind = (
            in_proxy_order(real[index])
            if index in real
            else in_proxy_order(
                Endpoint(written(pod_base + index * endpoints + nth), target_port)
                for nth in range(endpoints)
            )
        )
        services.append(
            Service(
                namespace=NAMESPACE,
                name=f"svc-{index}",
                cluster_ip=written(service_base + index),
                ports=(ServicePort(port, behind, f"p{port}", protocol),),
                affinity_seconds=affinity_seconds,
            )
        )
    return services


def _check(count: int, endpoints: int, ranges: _Ranges) -> None:
    services, pods = ranges.services, ranges.pods
    if count < 0 or endpoints < 0:
        raise UsageError(f"{count} services of {endpoints} endpoints: neither can be negative")
    if count > services.num_addresses - FIRST_SERVICE:
        raise UsageError(f"{count} services do not fit in {services}")
    if count * endpoints > pods.num_addresses - FIRST_POD:
        raise UsageError(f"{count} services of {endpoints} endpoints do not fit in {pods}")


def _dotted(address: int) -> str:
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"


def _colons(address: int) -> str:
    return str(IPv6Address(address))


_RANGES = {
    Family.IPV4: _Ranges(SERVICE_NETWORK, POD_NETWORK, _dotted),
    Family.IPV6: _Ranges(SERVICE_NETWORK6, POD_NETWORK6, _colons),
}
