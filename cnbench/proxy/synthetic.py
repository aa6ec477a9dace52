"""Services made up for a measurement: as many as asked for, the same ones every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network

from cnbench.core.errors import UsageError
from cnbench.proxy.model import Endpoint, Service, ServicePort, in_proxy_order

SERVICE_NETWORK = IPv4Network("10.96.0.0/12")
POD_NETWORK = IPv4Network("10.128.0.0/9")
NAMESPACE = "bench"
# Kubernetes gives the first addresses of the range to the API server and the cluster's DNS.
FIRST_SERVICE = 256
FIRST_POD = 256


def synthetic_services(
    count: int,
    endpoints: int,
    *,
    protocol: str = "tcp",
    port: int = 80,
    target_port: int = 8080,
    backends: Mapping[int, Sequence[Endpoint]] | None = None,
    affinity_seconds: int = 0,
) -> list[Service]:
    """Make ``count`` plain ClusterIP services of ``endpoints`` endpoints each.

    The service at index i is ``bench/svc-<i>`` with a cluster IP from 10.96.0.0/12. Endpoints are
    made-up pods in 10.128.0.0/9, except those of the services in ``backends``: their index gives
    the real endpoints that a probe will reach.

    Raises:
        UsageError: the ranges hold fewer.
    """
    _check(count, endpoints)
    real = backends or {}
    service_base = int(SERVICE_NETWORK.network_address) + FIRST_SERVICE
    pod_base = int(POD_NETWORK.network_address) + FIRST_POD
    services = []
    for index in range(count):
        behind = (
            in_proxy_order(real[index])
            if index in real
            else in_proxy_order(
                Endpoint(_dotted(pod_base + index * endpoints + nth), target_port)
                for nth in range(endpoints)
            )
        )
        services.append(
            Service(
                namespace=NAMESPACE,
                name=f"svc-{index}",
                cluster_ip=_dotted(service_base + index),
                ports=(ServicePort(port, behind, f"p{port}", protocol),),
                affinity_seconds=affinity_seconds,
            )
        )
    return services


def _check(count: int, endpoints: int) -> None:
    if count < 0 or endpoints < 0:
        raise UsageError(f"{count} services of {endpoints} endpoints: neither can be negative")
    if count > SERVICE_NETWORK.num_addresses - FIRST_SERVICE:
        raise UsageError(f"{count} services do not fit in {SERVICE_NETWORK}")
    if count * endpoints > POD_NETWORK.num_addresses - FIRST_POD:
        raise UsageError(f"{count} services of {endpoints} endpoints do not fit in {POD_NETWORK}")


def _dotted(address: int) -> str:
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"
