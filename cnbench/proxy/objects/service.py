"""A Service object as one proxier sees it: pkg/proxy/serviceport.go (newBaseServiceInfo)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address, ip_network

from cnbench.core.errors import ServiceError
from cnbench.proxy.family import Family, family_of
from cnbench.proxy.model import Service, ServicePort, TrafficPolicy, in_proxy_order
from cnbench.proxy.node import Node
from cnbench.proxy.objects.fields import KubernetesObject
from cnbench.proxy.objects.slices import endpoints_of

DEFAULT_AFFINITY_SECONDS = 10800


def cluster_ips(found: KubernetesObject) -> tuple[str, ...]:
    """Give a service's cluster IPs, of both families; a headless one has none.

    Raises:
        ServiceError: it has neither, nor says that it is headless.
    """
    spec = found.spec
    every = spec.texts("clusterIPs") or (spec.text("clusterIP"),)
    if not every[0]:
        raise ServiceError(f"{found}: has no clusterIP; a headless service says None")
    return () if every[0] == "None" else every


def service_of(found: KubernetesObject, slices: Sequence[KubernetesObject], node: Node) -> Service:
    """Give what a node's proxier knows of a service and its slices.

    Addresses of the other family are left out, as they are there.

    Raises:
        ServiceError: a field is not what it should be; the message names object and field.
    """
    spec, family = found.spec, node.family
    return Service(
        namespace=found.key.namespace,
        name=found.key.name,
        cluster_ip=next(iter(_usable(cluster_ips(found), family)), ""),
        ports=tuple(
            ServicePort(
                port=port.number("port"),
                endpoints=in_proxy_order(endpoints_of(port, found, slices, node)),
                name=port.text("name"),
                protocol=(port.text("protocol") or "TCP").lower(),
                node_port=port.number("nodePort"),
            )
            for port in spec.each("ports")
        ),
        affinity_seconds=_affinity(found),
        external_ips=_usable(spec.texts("externalIPs"), family),
        load_balancer_ips=_usable(
            (
                ingress.text("ip")
                for ingress in found.fields("status").fields("loadBalancer").each("ingress")
                if ingress.text("ipMode") != "Proxy"
            ),
            family,
        ),
        source_ranges=tuple(_masked(text, found) for text in _source_ranges(found, family)),
        internal_policy=_policy(found, "internalTrafficPolicy"),
        external_policy=_policy(found, "externalTrafficPolicy"),
        health_check_node_port=spec.number("healthCheckNodePort"),
    )


def _usable(addresses: Iterable[str], family: Family) -> tuple[str, ...]:
    """Those of a family, as Kubernetes' own parser writes them."""
    return tuple(_written(each) for each in addresses if each and family_of(each) is family)


def _written(address: str) -> str:
    if ":" in address:
        with contextlib.suppress(ValueError):
            return str(IPv6Address(address))
    return address


def _source_ranges(found: KubernetesObject, family: Family) -> Iterable[str]:
    texts = (text.strip() for text in found.spec.texts("loadBalancerSourceRanges"))
    return (text for text in texts if text and family_of(text) is family)


def _masked(text: str, found: KubernetesObject) -> str:
    """A range without a host's bits, as kube-proxy's parser gives it."""
    with contextlib.suppress(ValueError):
        if "/" in text:
            return str(ip_network(text, strict=False))
    raise ServiceError(
        f"{found}: loadBalancerSourceRanges has '{text}', which is no range such as 192.0.2.0/24"
    )


def _affinity(found: KubernetesObject) -> int:
    kind = found.spec.text("sessionAffinity") or "None"
    if kind == "None":
        return 0
    if kind != "ClientIP":
        raise ServiceError(f"{found}: sessionAffinity is '{kind}', not None or ClientIP")
    config = found.spec.fields("sessionAffinityConfig").fields("clientIP")
    return config.number("timeoutSeconds") or DEFAULT_AFFINITY_SECONDS


def _policy(found: KubernetesObject, name: str) -> TrafficPolicy:
    text = found.spec.text(name) or TrafficPolicy.CLUSTER
    try:
        return TrafficPolicy(text)
    except ValueError:
        raise ServiceError(f"{found}: {name} is '{text}', not Cluster or Local") from None
