"""A backend that reaches itself through its own service, over the MASQUERADE."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.core.metric import Metric
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof, equal
from cnbench.core.ranks import nearest_rank
from cnbench.experiments.service_routing.cluster import proxy_of
from cnbench.experiments.service_routing.halves import PORT, services_of
from cnbench.lab.cpus import pinned
from cnbench.lab.host import Lab
from cnbench.network.conntrack import forget_connections
from cnbench.network.own_service_path import (
    BRIDGES,
    NODE,
    POD,
    OwnServicePath,
    hairpin_mode,
    open_own_service_path,
)
from cnbench.network.service_path import POD_CIDR
from cnbench.probes.connect import Connector, open_connector
from cnbench.probes.first_packet import Address, times
from cnbench.proxy import Counters, Endpoint, Node, Proxy, Service

HAIRPIN = Metric(
    "hairpin", "s", "lower", "ratio", "time for a backend to connect to its own service, median"
)


@dataclass
class HairpinSubject:
    """A pod, its node, and the service that leads back to the pod."""

    path: OwnServicePath
    proxy: Proxy
    service: Service
    connector: Connector
    bridge: str
    probes: int
    lab: Lab

    def __post_init__(self) -> None:
        self._made = 0
        self._answered_by: set[Address] = set()
        self._hosts_seen: set[str] = set()
        self._before = self._counters()

    def sample(self) -> Mapping[str, float]:
        """The median time to connect, of ``probes`` connections."""
        with pinned():
            replies = self.connector.send([_address_of(self.service)], self.probes).replies
        # Every sample finds the same table: an empty one.
        forget_connections(self.path.node)
        self._made += len(replies)
        self._answered_by |= {reply.answered_by for reply in replies}
        self._hosts_seen |= {reply.seen_from.host for reply in replies}
        return {HAIRPIN.name: self.lab.clock.units(nearest_rank(times(replies), 0.5))}

    def _counters(self) -> Counters:
        return self.proxy.counters(self.service, self.service.ports[0])

    def proof(self) -> Proof:
        """The pod was reached through its own service, and saw the node's address as the source."""
        moved = self._counters().since(self._before)
        return Proof(
            (
                equal("connections counted by the service's rules", self._made, moved.service),
                equal("who answered", [f"{POD}:{PORT}"], [*map(str, self._answered_by)]),
                equal("addresses that the pod was reached from", [NODE], [*self._hosts_seen]),
                equal(
                    "hairpin mode of the pod's port",
                    BRIDGES[self.bridge][0],
                    hairpin_mode(self.path.node),
                ),
            )
        )


def _address_of(service: Service) -> Address:
    return Address(service.cluster_ip, PORT)


@contextlib.contextmanager
def open_hairpin(params: Point, lab: Lab) -> Iterator[HairpinSubject]:
    """The last of a node's services leads to the pod that asks for it.

    Raises:
        UnsupportedError: the bridge does not let the pod reach itself.
    """
    bridge = params.text("bridge")
    with open_own_service_path(lab, bridge) as path:
        *others, service = services_of(params)
        own = Endpoint(POD, PORT, local=True)
        service = replace(service, ports=(replace(service.ports[0], endpoints=(own,)),))
        proxy = proxy_of(params, lab, path.node, Node(pod_cidr=POD_CIDR))
        proxy.fill([*others, service])
        proxy.watch(service)
        with open_connector(path.pod, path.pod, [PORT], [POD], lab.clock) as connector:
            _require_reach(connector, _address_of(service), bridge)
            yield HairpinSubject(
                path, proxy, service, connector, bridge, params.whole("probes"), lab
            )


def _require_reach(connector: Connector, target: Address, bridge: str) -> None:
    try:
        connector.send([target], 1)
    except CnbenchError as error:
        if bridge != "plain":
            raise
        raise UnsupportedError(
            "a backend cannot reach itself through its service: the bridge drops what would go"
            " back by the port it came from",
            "set the port to hairpin mode: bridge=hairpin",
        ) from error
