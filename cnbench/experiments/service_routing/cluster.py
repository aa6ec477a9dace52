"""A node programmed with services, on the way from a client to their backends."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from ipaddress import summarize_address_range

from cnbench.core.errors import CommandError, UnsupportedError
from cnbench.core.parameter import Point
from cnbench.experiments.service_routing.position import PROBED, services_at
from cnbench.lab import commands
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace
from cnbench.lab.refusal import asked_once
from cnbench.network.service_path import POD_CIDR, ServicePath, open_service_path
from cnbench.probes.first_packet import Address
from cnbench.proxy import (
    FIRST_POD,
    POD_NETWORK,
    Node,
    Proxy,
    Service,
    open_proxy,
    synthetic_services,
)

# A service's port is its endpoints' as well, so that what opens a connection need not know which
# of the two it is told.
PORT = 8080
# Kubernetes' default for ClientIP affinity (service.spec.sessionAffinityConfig.clientIP).
_AFFINITY_SECONDS = {"none": 0, "client-ip": 10800}

# What each mode needs on the node, and a harmless command that fails where the kernel lacks it.
_TRIALS = {
    "iptables": ["iptables-legacy", "-t", "nat", "-S"],
    "iptables-nft": ["iptables-nft", "-t", "nat", "-S"],
    "nftables": ["nft", "list", "tables"],
    "ipvs": ["ipvsadm", "-L", "-n"],
}


@dataclass
class Cluster:
    """A path whose node is programmed with services.

    ``answered`` counts, for all that share the cluster, the conversations through services that
    each endpoint took since it was programmed; ``missed`` those that took another way.
    """

    path: ServicePath
    services: list[Service]
    proxy: Proxy
    answered: Counter[Address] = field(default_factory=Counter)
    missed: int = 0


def services_of(params: Point) -> list[Service]:
    """The services that a point of the grid asks for."""
    return synthetic_services(
        params.whole("services"),
        params.whole("endpoints"),
        protocol=params.text("protocol"),
        port=PORT,
        target_port=PORT,
        affinity_seconds=_AFFINITY_SECONDS[params.text("affinity")],
    )


def proxy_of(params: Point, lab: Lab, namespace: NetworkNamespace) -> Proxy:
    """A point's mode, ready to program a namespace, telling the lab how far it is."""
    return open_proxy(
        params.text("mode"),
        namespace,
        Node(pod_cidr=POD_CIDR),
        scheduler=params.text("scheduler"),
        work=lab.long_work,
    )


def cluster_of(params: Point, lab: Lab) -> Cluster:
    """The cluster that all positions of one mode and size share."""
    shared = ("mode", "services", "endpoints", "protocol", "affinity", "scheduler")
    key = ("cluster", *(params[name] for name in shared))
    return lab.fixture(key, lambda: _open_cluster(lab, params))


@contextlib.contextmanager
def _open_cluster(lab: Lab, params: Point) -> Iterator[Cluster]:
    services = services_of(params)
    with _open_path(lab) as path:
        proxy = proxy_of(params, lab, path.node)
        proxy.fill(services)
        probed = (one for position in PROBED for one in services_at(position, services))
        proxy.watch(*{service.key: service for service in probed}.values())
        yield Cluster(path, services, proxy)


def bare_path_of(lab: Lab) -> ServicePath:
    """The path without rules that the cases of all modes and sizes share."""
    return lab.fixture(("bare path",), lambda: _open_path(lab))


def _open_path(lab: Lab) -> AbstractContextManager[ServicePath]:
    # All of the pod network but its beginning, where the client and the gateways are.
    pods = summarize_address_range(POD_NETWORK[FIRST_POD], POD_NETWORK.broadcast_address)
    return open_service_path(lab, [str(network) for network in pods])


def require_mode(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where ``lab`` cannot do the mode."""
    _try_mode(params.text("mode"), lab)


@asked_once
def _try_mode(mode: str, lab: Lab) -> None:
    """Ask the kernel for ``mode`` in a namespace made for that."""
    try:
        commands.require(_TRIALS[mode][0])
        with lab.network_namespace("trial") as trial:
            trial.run(_TRIALS[mode])
    except CommandError as error:
        raise UnsupportedError(
            f"this kernel cannot do {mode}: {error}", "use the guest lab: --lab guest"
        ) from error
