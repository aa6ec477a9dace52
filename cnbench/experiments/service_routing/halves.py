"""What a node is programmed with: a made-up cluster's services, or the user's own, by IP family.

kube-proxy runs a proxier a family, each with services of its own; with two families a node is
programmed with both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, summarize_address_range
from typing import NamedTuple

from cnbench.core.errors import UsageError
from cnbench.core.parameter import Point, Value
from cnbench.experiments.service_routing.position import PROBED, at_position
from cnbench.lab.host import Lab
from cnbench.network import service_addresses
from cnbench.network.service_addresses import PathAddresses
from cnbench.probes.first_packet import Address
from cnbench.proxy import (
    FIRST_POD,
    POD_NETWORK,
    POD_NETWORK6,
    Endpoint,
    Family,
    Node,
    Service,
    ServicePort,
    synthetic_services,
)
from cnbench.proxy.family import joined
from cnbench.proxy.model import internal_endpoints
from cnbench.proxy.objects.own import node_in, read_own

# A made-up service's port is its endpoints' as well, so that what opens a connection need not know
# which of the two it is told.
PORT = 8080
# Kubernetes' default for ClientIP affinity (service.spec.sessionAffinityConfig.clientIP).
_AFFINITY_SECONDS = {"none": 0, "client-ip": 10800}
MADE_UP = "made-up"
# Where no service is chosen by name: the position decides.
ANY = "any"
DUAL = "dual"
FAMILIES = (*(family.value for family in Family), DUAL)
# All of the made-up pods' network but its beginning, where the client and the gateways are.
_MADE_UP_PODS = {
    Family.IPV4: [
        str(network)
        for network in summarize_address_range(
            IPv4Address(POD_NETWORK[FIRST_POD]), IPv4Address(POD_NETWORK.broadcast_address)
        )
    ],
    Family.IPV6: [str(POD_NETWORK6)],
}
_MADE_UP_PATH = {Family.IPV4: service_addresses.IPV4, Family.IPV6: service_addresses.IPV6}
_APART_PATH = {
    Family.IPV4: service_addresses.APART_IPV4,
    Family.IPV6: service_addresses.APART_IPV6,
}


class Target(NamedTuple):
    """One port of a service, to be addressed by its cluster IP."""

    service: Service
    port: ServicePort

    @property
    def address(self) -> Address:
        """Where it is addressed."""
        return Address(self.service.cluster_ip, self.port.port)

    @property
    def endpoints(self) -> list[Endpoint]:
        """Who may answer there."""
        return list(internal_endpoints(self.service, self.port))

    @property
    def answering(self) -> frozenset[Address]:
        """Where who may answer is."""
        return frozenset(Address(e.address, e.port) for e in self.endpoints)


@dataclass(frozen=True)
class Half:
    """One family's part of a node.

    Attributes:
        node: as its proxier knows it.
        services: that it programs.
        path: the addresses of client, node and backend.
        targets: which ports of the services can be addressed, in their order.
        chosen: the one that was asked for by name, where one was.
        networks: where the backend answers.
    """

    node: Node
    services: list[Service]
    path: PathAddresses
    targets: Sequence[Target]
    chosen: Target | None
    networks: Sequence[str]

    @property
    def family(self) -> Family:
        """Its family."""
        return self.node.family

    def at(self, position: str) -> list[Target]:
        """The targets at a position."""
        return [self.chosen] if self.chosen else at_position(position, self.targets)

    @property
    def ports(self) -> list[int]:
        """The ports on which the endpoints of all that is probed answer."""
        return sorted({e.port for target in self.probed.values() for e in target.endpoints})

    @property
    def probed(self) -> dict[Address, Target]:
        """The targets at any position, by their address."""
        every = (target for position in PROBED for target in self.at(position))
        return {target.address: target for target in every}


def families_of(params: Point) -> tuple[Family, ...]:
    """The families that a point of the grid programs a node with."""
    return _families(params.text("family"))


def _families(name: str) -> tuple[Family, ...]:
    return tuple(Family) if name == DUAL else (Family(name),)


def halves_of(params: Point, lab: Lab) -> tuple[Half, ...]:
    """The parts, one a family, of the node that a point of the grid asks for.

    Raises:
        UsageError: the user's own services cannot be had, or have none to be addressed.
    """
    if params["cluster"] == MADE_UP:
        return tuple(_made_up(*_size(params), family) for family in families_of(params))
    content = lab.inputs.get(params.text("cluster"))
    if content is None:
        raise UsageError(
            f"the services of {params['cluster']} are not at hand", "name their file anew"
        )
    return tuple(
        _own(content, params.text("mode"), family, params.text("protocol"), params.text("service"))
        for family in families_of(params)
    )


def node_and_size(
    packed: str, given: Mapping[str, Sequence[Value]], service: str
) -> tuple[str, dict[str, tuple[Value, ...]]]:
    """Which node of the user's own cluster is programmed, and parameters that follow from it.

    Raises:
        UsageError: what is ``given`` asks for services that it has not.
    """
    service = service or ANY
    families = {f for name in given.get("family", FAMILIES[:1]) for f in _families(str(name))}
    halves = [
        _own(packed, "iptables", family, str(protocol), service)
        for family in sorted(families)
        for protocol in given.get("protocol", ("tcp",))
    ]
    services = max(len(half.services) for half in halves)
    behind = [len(target.endpoints) for half in halves for target in half.targets]
    found = node_in(packed)
    where = f"node {found.name or 'without a name'}, zone {found.zone or 'unknown'}"
    return f"{services} services, as on {where}", {
        "service": (service,),
        "services": (services,),
        "endpoints": (max(1, round(sum(behind) / len(behind))),),
    }


def services_of(params: Point) -> list[Service]:
    """The made-up IPv4 services that a point of the grid asks for."""
    return _made_up(*_size(params), Family.IPV4).services


def _size(params: Point) -> tuple[int, int, str, str]:
    return (
        params.whole("services"),
        params.whole("endpoints"),
        params.text("protocol"),
        params.text("affinity"),
    )


# The positions of a group share what they lead through, and a large cluster takes a while to make.
@lru_cache(maxsize=2)
def _made_up(count: int, endpoints: int, protocol: str, affinity: str, family: Family) -> Half:
    services = synthetic_services(
        count,
        endpoints,
        protocol=protocol,
        port=PORT,
        target_port=PORT,
        affinity_seconds=_AFFINITY_SECONDS[affinity],
        family=family,
    )
    path = _MADE_UP_PATH[family]
    return Half(
        Node(pod_cidr=path.network, family=family),
        services,
        path,
        [Target(service, service.ports[0]) for service in services],
        None,
        _MADE_UP_PODS[family],
    )


@lru_cache(maxsize=8)
def _own(content: str, mode: str, family: Family, protocol: str, chosen: str) -> Half:
    """A part of the user's own cluster, on the way that is set apart for that."""
    path = _APART_PATH[family]
    node = Node(
        name=node_in(content).name,
        zone=node_in(content).zone,
        address=path.client_gateway,
        more_addresses=(path.backend_gateway,),
        pod_cidr=path.network,
        family=family,
    )
    services = read_own(content, mode, node)
    targets = [
        Target(service, port)
        for service in services
        for port in service.ports
        if port.protocol == protocol and not service.headless and internal_endpoints(service, port)
    ]
    by_name = chosen != ANY
    wanted = [t for t in targets if _called(t, chosen)] if by_name else targets
    if not wanted:
        what = f"'{chosen}'" if by_name else f"with a {protocol} port"
        raise UsageError(
            f"no {family.shown} service {what} has an endpoint that this node would lead to"
        )
    half = Half(node, services, path, targets, wanted[0] if by_name else None, ())
    behind = {e.address for target in half.probed.values() for e in target.endpoints}
    return Half(node, services, path, targets, half.chosen, sorted(behind))


def _called(target: Target, name: str) -> bool:
    key = str(target.service.key)
    return name in (key, f"{key}:{target.port.name}", joined(key, target.port.port))
