"""A node programmed with services, on the way from a client to their backends."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from cnbench.core.errors import CommandError, UnsupportedError
from cnbench.core.parameter import Point
from cnbench.experiments.service_routing.account import (
    Account,
    BlockAccount,
    Looks,
    SampleAccount,
)
from cnbench.experiments.service_routing.halves import Half, families_of, halves_of
from cnbench.lab import commands
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace
from cnbench.lab.refusal import asked_once
from cnbench.network.ipv6 import enable_ipv6
from cnbench.network.service_path import ServicePath, open_service_path
from cnbench.probes.first_packet import Address
from cnbench.proxy import Family, Node, Proxy, Service, open_proxy

# What each mode needs on the node, and a harmless command that fails where the kernel lacks it.
_TRIALS = {
    "iptables": ["iptables-legacy", "-t", "nat", "-S"],
    "iptables-nft": ["iptables-nft", "-t", "nat", "-S"],
    "nftables": ["nft", "list", "tables"],
    "ipvs": ["ipvsadm", "-L", "-n"],
}


@dataclass
class ProgrammedNode:
    """A path whose node is programmed with one family's services.

    ``answered`` counts, for all that share the cluster, the conversations through services that
    each endpoint took since it was programmed; ``missed`` those that took another way.
    """

    path: ServicePath
    half: Half
    proxy: Proxy
    answered: Counter[Address] = field(default_factory=Counter)
    missed: int = 0

    def __post_init__(self) -> None:
        self._looks = Looks(self.proxy)

    def account_of(self, services: Sequence[Service]) -> Account:
        """What holds the rules of ``services`` against what is sent through them."""
        if not self.proxy.looks_long:
            return SampleAccount(self.proxy, services)
        return BlockAccount(self._looks, services)


def proxy_of(params: Point, lab: Lab, namespace: NetworkNamespace, node: Node) -> Proxy:
    """A point's mode, ready to program a namespace, telling the lab how far it is."""
    return open_proxy(
        params.text("mode"),
        namespace,
        node,
        scheduler=params.text("scheduler"),
        work=lab.long_work,
    )


def clusters_of(params: Point, lab: Lab) -> Sequence[ProgrammedNode]:
    """The clusters, one a family on one node, that all positions of one mode and size share."""
    shared = (
        *("mode", "cluster", "service", "family", "services", "endpoints"),
        *("protocol", "affinity", "scheduler"),
    )
    key = ("cluster", *(params[name] for name in shared))
    return lab.fixture(key, lambda: _open_clusters(lab, params))


@contextlib.contextmanager
def _open_clusters(lab: Lab, params: Point) -> Iterator[Sequence[ProgrammedNode]]:
    halves = halves_of(params, lab)
    with _open_path(lab, halves) as path:
        clusters = []
        for half in halves:
            proxy = proxy_of(params, lab, path.node, half.node)
            proxy.fill(half.services)
            probed = {target.service.key: target.service for target in half.probed.values()}
            proxy.watch(*probed.values())
            clusters.append(ProgrammedNode(path, half, proxy))
        yield clusters


def bare_path_of(params: Point, lab: Lab) -> ServicePath:
    """The path without rules that the cases of all modes and sizes share."""
    key = ("bare path", *(params[name] for name in ("cluster", "service", "family", "protocol")))
    return lab.fixture(key, lambda: _open_path(lab, halves_of(params, lab)))


def _open_path(lab: Lab, halves: Sequence[Half]) -> AbstractContextManager[ServicePath]:
    networks = [network for half in halves for network in half.networks]
    return open_service_path(lab, networks, [half.path for half in halves])


def require_mode(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where ``lab`` cannot do the mode, in the families asked for."""
    _try_mode(params.text("mode"), lab)
    if Family.IPV6 in families_of(params):
        _try_ipv6(lab)


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


@asked_once
def _try_ipv6(lab: Lab) -> None:
    """Ask the kernel for IPv6 in a namespace made for that."""
    with lab.network_namespace("trial") as trial:
        enable_ipv6(trial)
