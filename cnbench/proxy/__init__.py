"""A Service model, and kube-proxy's iptables, nftables and IPVS programs for it.

The model::

    services = synthetic_services(5000, 2, backends={2500: [Endpoint("10.9.0.2", 8080)]})
    service, port = services[2500], services[2500].ports[0]

``backends`` gives the services at those indices real endpoints; all others lead to made-up pods.
``load_services(path, mode=...)`` reads a cluster's own services instead, and refuses bad ones.

The program, as text, without touching anything::

    text = generate("nftables", services, Node(pod_cidr="10.128.0.0/9"))

At work in a network namespace (`Namespace`: the lab's, or anything with its ``run`` and
``entered``)::

    proxy = open_proxy("iptables", namespace, Node(pod_cidr="10.128.0.0/9"))
    proxy.sync(services)
    proxy.watch(service)               # makes counters readable (a rule more, in nftables)
    before = proxy.counters(service, port)
    ...probe service.cluster_ip:port.port...
    moved = proxy.counters(service, port).since(before)
    assert moved.service == probes and sum(moved.endpoints.values()) == probes
    proxy.update(changed=[new_or_changed_service], deleted=[old.key])
    proxy.clear()

Where programming itself is not measured, ``proxy.fill(services)`` is the quickest way there.
Modes are ``iptables`` (front end legacy), ``iptables-nft``, ``nftables`` and ``ipvs``; what a mode
needs and the kernel lacks is an UnsupportedError at the first programming.

Counters count connections: a connection's first packet alone passes the nat chains.
The namespace needs ``net.ipv4.ip_forward=1`` and a default route (as every node has: packets to a
cluster IP without endpoints are rejected behind it), and the client a route to 10.96.0.0/12 by the
node. Traffic whose source is outside ``Node.pod_cidr`` is masqueraded, as kube-proxy does.
"""

from cnbench.core.errors import ServiceError
from cnbench.proxy.family import Family
from cnbench.proxy.ipvs.program import SCHEDULERS
from cnbench.proxy.loader import Counters, Namespace, Proxy
from cnbench.proxy.model import Endpoint, Service, ServiceKey, ServicePort, TrafficPolicy
from cnbench.proxy.modes import MODES, generate, open_proxy
from cnbench.proxy.node import Node
from cnbench.proxy.objects.manifest import load_services, services_from
from cnbench.proxy.synthetic import (
    FIRST_POD,
    POD_NETWORK,
    POD_NETWORK6,
    SERVICE_NETWORK,
    SERVICE_NETWORK6,
    synthetic_services,
)
from cnbench.proxy.validation import validate

__all__ = [
    "FIRST_POD",
    "MODES",
    "POD_NETWORK",
    "POD_NETWORK6",
    "SCHEDULERS",
    "SERVICE_NETWORK",
    "SERVICE_NETWORK6",
    "Counters",
    "Endpoint",
    "Family",
    "Namespace",
    "Node",
    "Proxy",
    "Service",
    "ServiceError",
    "ServiceKey",
    "ServicePort",
    "TrafficPolicy",
    "generate",
    "load_services",
    "open_proxy",
    "services_from",
    "synthetic_services",
    "validate",
]
