"""A node programmed with services, on the way from a client to a backend."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass

from cnbench.core.errors import CommandError, UnsupportedError
from cnbench.core.parameter import Params
from cnbench.lab import commands
from cnbench.lab.host import Lab
from cnbench.network.service_path import (
    BACKENDS,
    CLIENTS,
    POD_CIDR,
    ServicePath,
    open_service_path,
)
from cnbench.probes.connect import Connector, open_connector
from cnbench.proxy import Endpoint, Node, Proxy, Service, open_proxy, synthetic_services

TARGET_PORT = 8080
POSITIONS = ("first", "middle", "last")

# What each mode needs on the node, and a harmless command that fails where the kernel lacks it.
_TRIALS = {
    "iptables": ["iptables-legacy", "-t", "nat", "-S"],
    "iptables-nft": ["iptables-nft", "-t", "nat", "-S"],
    "nftables": ["nft", "list", "tables"],
    "ipvs": ["ipvsadm", "-L", "-n"],
}


@dataclass
class Cluster:
    """A path whose node is programmed with services, and the connector that probes it."""

    path: ServicePath
    services: list[Service]
    proxy: Proxy
    connector: Connector


def index_of(position: str, count: int) -> int:
    """Where the service at ``position`` stands among ``count`` of them."""
    return {"first": 0, "middle": count // 2, "last": count - 1}[position]


def services_of(count: int, endpoints: int) -> list[Service]:
    """``count`` services; those at the positions that are probed lead to real endpoints."""
    addresses = [str(BACKENDS[host]) for host in range(1, endpoints + 1)]
    real = [Endpoint(address, TARGET_PORT) for address in addresses]
    probed = {index_of(position, count): real for position in POSITIONS}
    return synthetic_services(count, endpoints, target_port=TARGET_PORT, backends=probed)


def cluster_of(params: Params, lab: Lab) -> Cluster:
    """The cluster that all cases of one mode and size share."""
    mode, count, endpoints = str(params["mode"]), int(params["services"]), int(params["endpoints"])
    return lab.fixture(
        ("cluster", mode, count, endpoints), lambda: _open_cluster(lab, mode, count, endpoints)
    )


@contextlib.contextmanager
def _open_cluster(lab: Lab, mode: str, count: int, endpoints: int) -> Iterator[Cluster]:
    services = services_of(count, endpoints)
    with open_service_path(lab) as path:
        proxy = open_proxy(mode, path.node, node=Node(pod_cidr=POD_CIDR))
        proxy.fill(services)
        for index in {index_of(position, count) for position in POSITIONS}:
            proxy.watch(services[index])
        with open_connector(
            path.client, path.backend, TARGET_PORT, CLIENTS, lab.clock
        ) as connector:
            yield Cluster(path, services, proxy, connector)


def require_mode(params: Params, lab: Lab) -> None:
    """Raise UnsupportedError where ``lab`` cannot do the mode."""
    refusal = _refusal(str(params["mode"]), lab)
    if refusal:
        raise refusal.with_traceback(None)


@functools.cache
def _refusal(mode: str, lab: Lab) -> UnsupportedError | None:
    """Why ``lab`` cannot do ``mode``, found by asking its kernel in a namespace made for that."""
    try:
        commands.require(_TRIALS[mode][0])
        with lab.network_namespace("trial") as trial:
            trial.run(_TRIALS[mode])
    except UnsupportedError as error:
        return error
    except CommandError as error:
        return UnsupportedError(
            f"this kernel cannot do {mode}: {error}", "use the guest lab: --lab guest"
        )
    return None
