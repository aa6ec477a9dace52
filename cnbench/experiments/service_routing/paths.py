"""The ways from the client to an endpoint, and what shows that one of them was taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

from cnbench.core.parameter import Point
from cnbench.core.proof import Check, equal
from cnbench.experiments.service_routing.account import Account, NoAccount
from cnbench.experiments.service_routing.cluster import ProgrammedNode, bare_path_of, clusters_of
from cnbench.experiments.service_routing.halves import Half, Target, halves_of
from cnbench.experiments.service_routing.position import BARE, NONE
from cnbench.lab.host import Lab
from cnbench.network.conntrack import forget_connections, tracked
from cnbench.network.service_path import ServicePath
from cnbench.probes.first_packet import Address
from cnbench.proxy import ServiceKey

# Each address that may be sent to, and who may answer then.
LeadsTo = Mapping[Address, frozenset[Address]]


class Way(Protocol):
    """One way to an endpoint."""

    path: ServicePath
    half: Half
    leads_to: LeadsTo
    account: Account

    def passed(self) -> int:
        """Conversations that the rules of the services addressed have counted so far."""

    def passed_before(self) -> int:
        """What they had counted by the last look at any of this cluster's services, or by now.

        What passed them since then is counted with the next sample, whoever sent it.
        """

    def due(self, targets: Iterable[Address]) -> Mapping[ServiceKey, int]:
        """What the rules must count of conversations with ``targets``, by service."""

    def forget(self) -> None:
        """Have the node track no connection any more, so that every sample finds an empty table."""

    def record(self, answered_by: Iterable[Address], missed: int) -> None:
        """Remember who answered on this way, and how many conversations went another, unknown."""

    def checks(self) -> list[Check]:
        """What the kernel has counted, beside what was recorded."""


class ThroughServices:
    """Through some services' rules."""

    def __init__(self, cluster: ProgrammedNode, targets: list[Target]) -> None:
        self.path = cluster.path
        self.half = cluster.half
        self.leads_to: LeadsTo = {target.address: target.answering for target in targets}
        self._targets = targets
        self._services = [target.service for target in targets]
        self._cluster = cluster
        self._key_of = {target.address: target.service.key for target in targets}
        self.account = cluster.account_of(self._services)

    def passed(self) -> int:
        """What the services' own chains, or IPVS, have sent on."""
        return self._cluster.proxy.passed(self._services)

    def passed_before(self) -> int:
        """The same as of the last look at the cluster's rules."""
        return self._cluster.proxy.passed_before(self._services)

    def due(self, targets: Iterable[Address]) -> Mapping[ServiceKey, int]:
        """All of them."""
        return Counter(map(self._key_of.__getitem__, targets))

    def forget(self) -> None:
        """Empty the node's table of connections."""
        forget_connections(self.path.node)

    def record(self, answered_by: Iterable[Address], missed: int) -> None:
        """Add to the cluster's account: another way may go through the same services."""
        self._cluster.answered.update(answered_by)
        self._cluster.missed += missed

    def checks(self) -> list[Check]:
        """Both the services' and the endpoints' counters stand at what was answered."""
        through_services, by_endpoint = self._counted()
        missed = self._cluster.missed
        made = {str(a): self._cluster.answered[a] for ends in self.leads_to.values() for a in ends}
        total = sum(made.values())
        differing = {
            endpoint: by_endpoint[endpoint] - made.get(endpoint, 0)
            for endpoint in sorted(by_endpoint.keys() | made.keys())
            if by_endpoint[endpoint] != made.get(endpoint, 0)
        }
        return [
            Check(
                "conversations counted by the services' own rules",
                _about(total, missed),
                str(through_services),
                abs(through_services - total) <= missed,
            ),
            Check(
                "conversations counted by the rules of the endpoint that answered",
                f"{_about(total, missed)}, each by its own",
                f"{sum(by_endpoint.values())}, {_differences(differing)}",
                sum(map(abs, differing.values())) <= missed,
            ),
        ]

    def _counted(self) -> tuple[int, Counter[str]]:
        through_services, by_endpoint = 0, Counter[str]()
        for counted in self._cluster.proxy.counters_of(self._targets):
            through_services += counted.service
            by_endpoint.update(counted.endpoints)
        return through_services, by_endpoint


class PastServices:
    """Straight to an endpoint, past all services' rules on the node: none of them matches."""

    def __init__(self, cluster: ProgrammedNode, target: Target) -> None:
        self.path = cluster.path
        self.half = cluster.half
        self.leads_to: LeadsTo = _directly_to(target)
        self._service = target.service
        self._proxy = cluster.proxy
        self._answered_by: set[Address] = set()
        self.account = cluster.account_of([target.service])

    def passed(self) -> int:
        """What the rules of the service with that endpoint have sent on."""
        return self._proxy.passed([self._service])

    def passed_before(self) -> int:
        """The same as of the last look at the cluster's rules."""
        return self._proxy.passed_before([self._service])

    def due(self, targets: Iterable[Address]) -> Mapping[ServiceKey, int]:
        """None of them."""
        return {}

    def forget(self) -> None:
        """Empty the node's table of connections."""
        forget_connections(self.path.node)

    def record(self, answered_by: Iterable[Address], missed: int) -> None:
        """Remember who answered."""
        self._answered_by.update(answered_by)

    def checks(self) -> list[Check]:
        """The endpoint itself answered; what the rules counted is the account's."""
        dialled, answered = ([*map(str, ones)] for ones in (self.leads_to, self._answered_by))
        return [equal("answered at the address dialled", dialled, answered)]


class WithoutRules:
    """Straight to an endpoint, over a node on which kube-proxy has never run."""

    def __init__(self, path: ServicePath, half: Half, target: Target) -> None:
        self.path = path
        self.half = half
        self.leads_to: LeadsTo = _directly_to(target)
        self.account: Account = NoAccount()

    def passed(self) -> int:
        """Nothing: there is nothing that counts."""
        return 0

    def passed_before(self) -> int:
        """Nothing, likewise."""
        return 0

    def due(self, targets: Iterable[Address]) -> Mapping[ServiceKey, int]:
        """None of them."""
        return {}

    def forget(self) -> None:
        """Nothing: that the node tracks none is what the proof asks for."""

    def record(self, answered_by: Iterable[Address], missed: int) -> None:
        """Nothing to compare it with."""

    def checks(self) -> list[Check]:
        """The node does not even track connections."""
        return [equal("connections that the node tracks", 0, tracked(self.path.node))]


def ways_of(params: Point, lab: Lab) -> list[Way]:
    """The ways that a point of the grid asks for, one in each family."""
    position = params.text("position")
    if position == BARE:
        path = bare_path_of(params, lab)
        return [WithoutRules(path, half, half.at(position)[0]) for half in halves_of(params, lab)]
    clusters = clusters_of(params, lab)
    if position == NONE:
        return [PastServices(cluster, cluster.half.at(position)[0]) for cluster in clusters]
    return [ThroughServices(cluster, cluster.half.at(position)) for cluster in clusters]


def _directly_to(target: Target) -> LeadsTo:
    first = target.endpoints[0]
    address = Address(first.address, first.port)
    return {address: frozenset({address})}


def _about(count: int, missed: int) -> str:
    return f"{count} ± {missed}" if missed else str(count)


def _differences(differing: Mapping[str, int]) -> str:
    if not differing:
        return "each by its own"
    shown = [f"{endpoint} {more:+d}" for endpoint, more in differing.items()]
    return f"{len(shown)} endpoints differ: {', '.join(shown[:3])}"
