"""The IPVS program: virtual servers, the addresses they answer on, and the sets beside them.

What kube-proxy asks of the kernel in ipvs mode (kubernetes/kubernetes, pkg/proxy/ipvs/proxier.go
and ipset.go, release 1.33). The iptables rules that go with it are in `ipvs_rules`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import NamedTuple

from cnbench.proxy.family import Family, joined
from cnbench.proxy.model import (
    Endpoint,
    Service,
    ServicePort,
    TrafficPolicy,
    external_stays_local,
    reach,
)
from cnbench.proxy.node import Node, includes, node_ports

DEVICE = "kube-ipvs0"
SCHEDULERS = ("rr", "wrr", "lc", "wlc", "sh", "dh", "sed", "nq")
SYSCTLS = {
    "net/ipv4/vs/conntrack": 1,
    "net/ipv4/vs/expire_nodest_conn": 1,
    "net/ipv4/vs/expire_quiescent_template": 1,
}
FORWARDING = {Family.IPV4: "net/ipv4/ip_forward", Family.IPV6: "net/ipv6/conf/all/forwarding"}
# IPv6's sets have names of their own, cut where the kernel's end (IPSET_MAXNAMELEN).
_LONGEST_NAME = 31

_IP_PORT = "hash:ip,port"
SETS = {
    "KUBE-LOOP-BACK": "hash:ip,port,ip",
    "KUBE-CLUSTER-IP": _IP_PORT,
    "KUBE-EXTERNAL-IP": _IP_PORT,
    "KUBE-EXTERNAL-IP-LOCAL": _IP_PORT,
    "KUBE-LOAD-BALANCER": _IP_PORT,
    "KUBE-LOAD-BALANCER-FW": _IP_PORT,
    "KUBE-LOAD-BALANCER-LOCAL": _IP_PORT,
    "KUBE-LOAD-BALANCER-SOURCE-IP": "hash:ip,port,ip",
    "KUBE-LOAD-BALANCER-SOURCE-CIDR": "hash:ip,port,net",
    "KUBE-NODE-PORT-TCP": "bitmap:port",
    "KUBE-NODE-PORT-LOCAL-TCP": "bitmap:port",
    "KUBE-NODE-PORT-UDP": "bitmap:port",
    "KUBE-NODE-PORT-LOCAL-UDP": "bitmap:port",
    "KUBE-NODE-PORT-SCTP-HASH": _IP_PORT,
    "KUBE-NODE-PORT-LOCAL-SCTP-HASH": _IP_PORT,
    "KUBE-HEALTH-CHECK-NODE-PORT": "bitmap:port",
    "KUBE-IPVS-IPS": "hash:ip",
}
_SERVICE_OPTIONS = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}


class VirtualAddress(NamedTuple):
    """What tells one virtual server from another."""

    address: str
    port: int
    protocol: str


class VirtualServer(NamedTuple):
    """One virtual server with its real ones; ``persistence`` in seconds, 0 for none."""

    at: VirtualAddress
    real_servers: tuple[Endpoint, ...]
    persistence: int = 0


class Entry(NamedTuple):
    """An entry of one of the sets."""

    name: str
    value: str


class BlockedAddress(NamedTuple):
    """A load balancer's address and port that the node itself may not reach."""

    address: str
    protocol: str
    port: int


@dataclass(slots=True)
class IpvsPlan:
    """Everything that some services need of the kernel, in order.

    ``entries`` counts how many service ports need each: two may share an address or an endpoint.
    """

    servers: dict[VirtualAddress, VirtualServer] = field(default_factory=dict)
    entries: Counter[Entry] = field(default_factory=Counter)
    blocked: dict[BlockedAddress, None] = field(default_factory=dict)


def plan(services: Iterable[Service], node: Node) -> IpvsPlan:
    """Work out what IPVS mode needs for some services. Headless services need nothing."""
    planned, own = IpvsPlan(), frozenset(node.addresses)
    for service in services:
        if not service.headless:
            for port in service.ports:
                _PortPlan(service, port, node, own, planned).make()
    return planned


def set_name(name: str, family: Family) -> str:
    """Give the name in the kernel of one of `SETS`."""
    if family is Family.IPV4:
        return name
    return name.replace("KUBE-", "KUBE-6-", 1)[:_LONGEST_NAME]


def sysctls(family: Family) -> dict[str, int]:
    """Give the settings, as paths, that one family's proxier makes."""
    return SYSCTLS | {FORWARDING[family]: 1}


def bound_addresses(entries: Iterable[Entry]) -> Iterator[str]:
    """Give, of some entries, the addresses that belong on the dummy device: a set names them."""
    for entry in entries:
        if entry.name == "KUBE-IPVS-IPS":
            yield entry.value


def ipvsadm_program(planned: IpvsPlan, scheduler: str) -> str:
    """Write the virtual and real servers as ``ipvsadm -R`` reads them."""
    lines = []
    for server in planned.servers.values():
        option = _SERVICE_OPTIONS[server.at.protocol]
        at = f"{option} {joined(server.at.address, server.at.port)}"
        persistence = f" -p {server.persistence}" if server.persistence else ""
        lines.append(f"-A {at} -s {scheduler}{persistence}\n")
        lines += [f"-a {at} -r {endpoint} -m -w 1\n" for endpoint in server.real_servers]
    return "".join(lines)


def creation_of_sets(family: Family) -> str:
    """Write the (empty) sets as ``ipset restore`` reads them."""
    return "".join(
        f"create {set_name(name, family)} {kind} {_options(kind, family)}\n"
        for name, kind in SETS.items()
    )


def removal_of_sets(family: Family) -> str:
    """Write the removal of the sets, which nothing uses any more, as ``ipset restore`` reads it."""
    return "".join(f"destroy {set_name(name, family)}\n" for name in SETS)


def entries_program(entries: Iterable[Entry], family: Family, command: str = "add") -> str:
    """Write the adding (or, with ``del``, the removal) of entries as ``ipset restore`` reads it.

    kube-proxy runs one ``ipset add`` an entry; ``ipset restore`` leaves the same sets behind. But
    for a source range of all addresses: no set holds that (ipset(8)), so that kube-proxy's command
    fails there and lets nobody in. Here it is written as its two halves, which is what was meant.
    """
    starts = {name: f"{command} {set_name(name, family)} " for name in SETS}
    return "".join(
        f"{starts[name]}{value}\n"
        if value[-2:] != "/0"
        else "".join(f"{starts[name]}{half}\n" for half in _halves(value))
        for name, value in entries
    )


def _halves(value: str) -> Iterator[str]:
    start, _, everything = value.rpartition(",")
    return (f"{start},{half}" for half in ip_network(everything).subnets())


def _options(kind: str, family: Family) -> str:
    if kind == "bitmap:port":
        return "range 0-65535"
    inet = "inet" if family is Family.IPV4 else "inet6"
    return f"family {inet} hashsize 1024 maxelem 65536"


class _PortPlan:
    """One service port's part of a plan."""

    def __init__(
        self,
        service: Service,
        port: ServicePort,
        node: Node,
        own: Collection[str],
        planned: IpvsPlan,
    ) -> None:
        self.service = service
        self.port = port
        self.node = node
        self.own = own
        self.plan = planned
        self.reach = reach(service, port)
        self.external_local = external_stays_local(service, port)

    def make(self) -> None:
        service, port = self.service, self.port
        for endpoint in port.endpoints:
            if endpoint.local:
                text = f"{endpoint.address},{port.protocol}:{endpoint.port},{endpoint.address}"
                self._enter("KUBE-LOOP-BACK", text)
        self._enter("KUBE-CLUSTER-IP", self._ip_port(service.cluster_ip))
        internal_local = service.internal_policy is TrafficPolicy.LOCAL
        self._serve(service.cluster_ip, port.port, local=internal_local)
        for address in service.external_ips:
            name = "KUBE-EXTERNAL-IP-LOCAL" if self.external_local else "KUBE-EXTERNAL-IP"
            self._enter(name, self._ip_port(address))
            self._serve(address, port.port, local=self.external_local)
        for address in service.load_balancer_ips:
            self._make_load_balancer(address)
        if port.node_port:
            self._make_node_port()
        if service.health_check_node_port:
            self._enter("KUBE-HEALTH-CHECK-NODE-PORT", str(service.health_check_node_port))

    def _enter(self, name: str, value: str) -> None:
        entry = Entry(name, value)
        # A Counter asks its __missing__, in Python, for what it does not have.
        self.plan.entries[entry] = self.plan.entries.get(entry, 0) + 1

    def _ip_port(self, address: str) -> str:
        return f"{address},{self.port.protocol}:{self.port.port}"

    def _serve(self, address: str, port: int, *, local: bool, bind: bool = True) -> None:
        # Without a local endpoint the whole cluster's take the traffic, for the node's own pods.
        behind = (self.reach.local if local else ()) or self.reach.cluster
        at = VirtualAddress(address, port, self.port.protocol)
        self.plan.servers[at] = VirtualServer(at, tuple(behind), self.service.affinity_seconds)
        if bind and address not in self.own:
            self._enter("KUBE-IPVS-IPS", address)

    def _make_load_balancer(self, address: str) -> None:
        at = self._ip_port(address)
        self._enter("KUBE-LOAD-BALANCER", at)
        if self.external_local:
            self._enter("KUBE-LOAD-BALANCER-LOCAL", at)
        if self.service.source_ranges:
            self._enter("KUBE-LOAD-BALANCER-FW", at)
            for source in self.service.source_ranges:
                self._enter("KUBE-LOAD-BALANCER-SOURCE-CIDR", f"{at},{source}")
            if includes(self.service.source_ranges, self.node.address):
                self._enter("KUBE-LOAD-BALANCER-SOURCE-IP", f"{at},{address}")
            else:
                blocked = BlockedAddress(address, self.port.protocol, self.port.port)
                self.plan.blocked[blocked] = None
        self._serve(address, self.port.port, local=self.external_local)

    def _make_node_port(self) -> None:
        protocol, port = self.port.protocol, self.port.node_port
        kinds = ("", "-LOCAL") if self.external_local else ("",)
        for kind in kinds:
            if protocol == "sctp":
                for address in node_ports(self.node).but_loopback:
                    self._enter(f"KUBE-NODE-PORT{kind}-SCTP-HASH", f"{address},sctp:{port}")
            else:
                self._enter(f"KUBE-NODE-PORT{kind}-{protocol.upper()}", str(port))
        for address in node_ports(self.node).but_loopback:
            self._serve(address, port, local=self.external_local, bind=False)
