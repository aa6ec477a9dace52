"""The iptables program: what kube-proxy pipes into ``iptables-restore --noflush --counters``.

The rules' texts and their order are kube-proxy's own output format (kubernetes/kubernetes,
pkg/proxy/iptables/proxier.go and the expected dumps of proxier_test.go, release 1.33). Chains
that carry one service are written by `_ServiceRules`; the program around them by `program`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from cnbench.proxy.model import (
    Endpoint,
    Node,
    Reach,
    Service,
    ServiceKey,
    ServicePort,
    TrafficPolicy,
    external_stays_local,
    externally_accessible,
    reach,
    uses_cluster_endpoints,
    uses_local_endpoints,
)
from cnbench.proxy.names import iptables_hash

MARK = "0x4000"
# Beyond this many endpoints kube-proxy leaves out the endpoints' comments (proxier.go,
# largeClusterEndpointsThreshold), which shortens the program by a good third.
LARGE_CLUSTER_ENDPOINTS = 1000

FILTER_CHAINS = (
    "KUBE-SERVICES",
    "KUBE-EXTERNAL-SERVICES",
    "KUBE-FORWARD",
    "KUBE-NODEPORTS",
    "KUBE-PROXY-FIREWALL",
    "KUBE-FIREWALL",
)
NAT_CHAINS = ("KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ")

_NEW = "-m conntrack --ctstate NEW "
_PORTALS = '-m comment --comment "kubernetes service portals" '
_EXTERNAL = '-m comment --comment "kubernetes externally-visible service portals" '
_BALANCER = '-m comment --comment "kubernetes load balancer firewall" '
_FILTER_JUMPS = (
    f"INPUT {_NEW}{_EXTERNAL}-j KUBE-EXTERNAL-SERVICES",
    f"FORWARD {_NEW}{_EXTERNAL}-j KUBE-EXTERNAL-SERVICES",
    'INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS',
    f"FORWARD {_NEW}{_PORTALS}-j KUBE-SERVICES",
    f"OUTPUT {_NEW}{_PORTALS}-j KUBE-SERVICES",
    'FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
    f"INPUT {_NEW}{_BALANCER}-j KUBE-PROXY-FIREWALL",
    f"OUTPUT {_NEW}{_BALANCER}-j KUBE-PROXY-FIREWALL",
    f"FORWARD {_NEW}{_BALANCER}-j KUBE-PROXY-FIREWALL",
    "INPUT -j KUBE-FIREWALL",
    "OUTPUT -j KUBE-FIREWALL",
)
_NAT_JUMPS = (
    f"OUTPUT {_PORTALS}-j KUBE-SERVICES",
    f"PREROUTING {_PORTALS}-j KUBE-SERVICES",
    'POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
)


def base_program() -> str:
    """Give the chains that kube-proxy hooks into the built-in ones, and the jumps to them.

    kube-proxy makes these once, by single iptables calls, before its first restore; here they are
    one restore (with ``--noflush``), to be loaded once into an empty namespace.
    """
    return _tables(
        filter_lines=[
            *(f":{chain} - [0:0]" for chain in FILTER_CHAINS),
            *(f"-I {jump}" for jump in _FILTER_JUMPS),
        ],
        nat_lines=[
            *(f":{chain} - [0:0]" for chain in NAT_CHAINS),
            *(f"-I {jump}" for jump in _NAT_JUMPS),
        ],
    )


def program(
    services: Collection[Service],
    node: Node,
    *,
    changed: Collection[ServiceKey] | None = None,
    stale: Iterable[str] = (),
) -> str:
    """Write the restore program of all services, in their order.

    With ``changed`` it is a partial sync: the top-level chains are written whole, and of the
    services' own chains only those of the services named. ``stale`` are chains to delete, such as
    those of an endpoint that is gone; in a partial sync only. Headless services have no rules.
    """
    rules = _ServiceRules(node, large=_is_large(services))
    for service in services:
        if service.headless:
            continue
        whole = changed is None or service.key in changed
        for port in service.ports:
            rules.write(service, port, whole=whole)
    for chain in stale:
        rules.nat_chains.append(f":{chain} - [0:0]")
        rules.nat.append(f"-X {chain}")
    return _tables(
        filter_lines=[
            *(f":{chain} - [0:0]" for chain in FILTER_CHAINS),
            *rules.filter,
            *_forward_rules(node),
        ],
        nat_lines=[
            *(f":{chain} - [0:0]" for chain in NAT_CHAINS),
            *rules.nat_chains,
            *_masquerade_rules(),
            *rules.nat,
            *_node_port_rules(node),
        ],
    )


def chains_of(service: Service) -> list[str]:
    """List the nat chains that a full sync makes for one service."""
    rules = _ServiceRules(Node(), large=True)
    if not service.headless:
        for port in service.ports:
            rules.write(service, port, whole=True)
    return [line[1:].split(" ", 1)[0] for line in rules.nat_chains]


def service_chain(service: Service, port: ServicePort) -> str:
    """Name the chain that spreads a port's traffic over the cluster's endpoints."""
    return "KUBE-SVC-" + iptables_hash(service.port_name(port) + port.protocol)


def endpoint_chain(service: Service, port: ServicePort, endpoint: Endpoint) -> str:
    """Name the chain that sends a port's traffic to one endpoint."""
    return "KUBE-SEP-" + iptables_hash(f"{service.port_name(port)}{port.protocol}{endpoint}")


def _is_large(services: Iterable[Service]) -> bool:
    total = sum(len(port.endpoints) for service in services for port in service.ports)
    return total > LARGE_CLUSTER_ENDPOINTS


def _tables(filter_lines: Sequence[str], nat_lines: Sequence[str]) -> str:
    return "\n".join(["*filter", *filter_lines, "COMMIT", "*nat", *nat_lines, "COMMIT", ""])


def _forward_rules(node: Node) -> list[str]:
    counter = "-m nfacct --nfacct-name ct_state_invalid_dropped_pkts " if node.nfacct else ""
    return [
        '-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" '
        "-d 127.0.0.0/8 ! -s 127.0.0.0/8 "
        "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
        f"-A KUBE-FORWARD -m conntrack --ctstate INVALID {counter}-j DROP",
        '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" '
        f"-m mark --mark {MARK}/{MARK} -j ACCEPT",
        '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" '
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ]


def _masquerade_rules() -> list[str]:
    return [
        f"-A KUBE-POSTROUTING -m mark ! --mark {MARK}/{MARK} -j RETURN",
        f"-A KUBE-POSTROUTING -j MARK --xor-mark {MARK}",
        '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" '
        "-j MASQUERADE --random-fully",
        f"-A KUBE-MARK-MASQ -j MARK --or-mark {MARK}",
    ]


def _node_port_rules(node: Node) -> list[str]:
    last = (
        "-A KUBE-SERVICES -m comment --comment "
        '"kubernetes service nodeports; NOTE: this must be the last rule in this chain" '
    )
    if not node.node_port_addresses:
        return [f"{last}-m addrtype --dst-type LOCAL -j KUBE-NODEPORTS"]
    return [f"{last}-d {address} -j KUBE-NODEPORTS" for address in node.node_port_addresses]


@dataclass(slots=True)
class _ServiceRules:
    """The lines of all services, gathered for each table."""

    node: Node
    large: bool
    filter: list[str] = field(default_factory=list)
    nat: list[str] = field(default_factory=list)
    nat_chains: list[str] = field(default_factory=list)

    def write(self, service: Service, port: ServicePort, *, whole: bool) -> None:
        """Add one port: its way in, and with ``whole`` the chains that are its own."""
        lines = _PortRules(service, port, self.node, self.large)
        lines.write_way_in(self.filter, self.nat)
        if whole:
            lines.write_chains(self.nat_chains.append, self.nat.append)


class _PortRules:
    """The rules of one service port."""

    def __init__(self, service: Service, port: ServicePort, node: Node, large: bool) -> None:
        self.service = service
        self.port = port
        self.node = node
        self.name = name = service.port_name(port)
        self.reach: Reach = reach(service, port)
        self.external = externally_accessible(service, port)
        self.suffix = suffix = iptables_hash(name + port.protocol)
        self.cluster_chain = f"KUBE-SVC-{suffix}"
        self.local_chain = f"KUBE-SVL-{suffix}"
        self.external_chain = f"KUBE-EXT-{suffix}"
        self.firewall_chain = f"KUBE-FW-{suffix}"
        self.match = f"-m {port.protocol} -p {port.protocol}"
        self.comment = "" if large else f"-m comment --comment {name} "
        self.large = large
        usable = self.reach.any_usable
        here = bool(self.reach.local)
        self.internal_local = service.internal_policy is TrafficPolicy.LOCAL
        self.external_local = external_stays_local(service, port)
        self.internal_chain = self.local_chain if self.internal_local else self.cluster_chain
        self.internal_usable = usable and (here or not self.internal_local)
        self.external_usable = usable and (here or not self.external_local)
        self.firewalled = bool(usable and service.load_balancer_ips and service.source_ranges)

    def write_way_in(self, filter_rules: list[str], nat_rules: list[str]) -> None:
        """Add what is written at every sync: the jumps to the port's chains, and rejections."""
        destination = f"-d {self.service.cluster_ip} --dport {self.port.port}"
        if self.internal_usable:
            nat_rules.append(
                f'-A KUBE-SERVICES -m comment --comment "{self.name} cluster IP" '
                f"{self.match} {destination} -j {self.internal_chain}"
            )
        else:
            filter_rules.append(f"-A KUBE-SERVICES {self._refusal(destination)}")
        if self.external:
            self._write_external_way_in(filter_rules, nat_rules)
        if self.service.health_check_node_port:
            filter_rules.append(
                f'-A KUBE-NODEPORTS -m comment --comment "{self.name} health check node port" '
                f"-m tcp -p tcp --dport {self.service.health_check_node_port} -j ACCEPT"
            )

    def _refusal(self, destination: str, before: str = "") -> str:
        reason, verdict = (
            ("local endpoints", "DROP") if self.reach.any_usable else ("endpoints", "REJECT")
        )
        return (
            f'-m comment --comment "{self.name} has no {reason}" '
            f"{before}{self.match} {destination} -j {verdict}"
        )

    def _write_external_way_in(self, filter_rules: list[str], nat_rules: list[str]) -> None:
        service, port = self.service, self.port
        behind_balancer = self.firewall_chain if self.firewalled else self.external_chain
        ways = [
            *((address, "external IP", self.external_chain) for address in service.external_ips),
            *(
                (address, "loadbalancer IP", behind_balancer)
                for address in service.load_balancer_ips
            ),
        ]
        for address, kind, chain in ways:
            destination = f"-d {address} --dport {port.port}"
            if self.reach.any_usable:
                nat_rules.append(
                    f'-A KUBE-SERVICES -m comment --comment "{self.name} {kind}" '
                    f"{self.match} {destination} -j {chain}"
                )
            if chain is self.firewall_chain:
                filter_rules.append(
                    f'-A KUBE-PROXY-FIREWALL -m comment --comment "{self.name} traffic not '
                    f'accepted by {chain}" {self.match} {destination} -j DROP'
                )
            if not self.external_usable:
                filter_rules.append(f"-A KUBE-EXTERNAL-SERVICES {self._refusal(destination)}")
        if port.node_port:
            self._write_node_port(filter_rules, nat_rules)

    def _write_node_port(self, filter_rules: list[str], nat_rules: list[str]) -> None:
        destination = f"--dport {self.port.node_port}"
        if self.reach.any_usable:
            start = f"-A KUBE-NODEPORTS -m comment --comment {self.name} {self.match}"
            if self.node.nfacct:
                nat_rules.append(
                    f"{start} -d 127.0.0.0/8 {destination} -m nfacct --nfacct-name "
                    f"localhost_nps_accepted_pkts -j {self.external_chain}"
                )
            nat_rules.append(f"{start} {destination} -j {self.external_chain}")
        if not self.external_usable:
            refusal = self._refusal(destination, before="-m addrtype --dst-type LOCAL ")
            filter_rules.append(f"-A KUBE-EXTERNAL-SERVICES {refusal}")

    def write_chains(self, declare: Callable[[str], None], add: Callable[[str], None]) -> None:
        """Add the chains that are the port's own, and their rules."""
        if not self.reach.any_usable:
            return
        chains = self._endpoint_chains()
        cluster = self.reach.cluster if uses_cluster_endpoints(self.service, self.port) else ()
        local = self.reach.local if uses_local_endpoints(self.service, self.port) else ()
        if cluster:
            declare(f":{self.cluster_chain} - [0:0]")
        if local:
            declare(f":{self.local_chain} - [0:0]")
        if self.external:
            declare(f":{self.external_chain} - [0:0]")
        if self.firewalled:
            declare(f":{self.firewall_chain} - [0:0]")
        if self.internal_usable:
            self._write_internal_masquerade(add)
        if self.external:
            self._write_external_chain(add)
        if self.firewalled:
            self._write_firewall_chain(add)
        self._write_spread(add, self.cluster_chain, cluster, chains)
        self._write_spread(add, self.local_chain, local, chains)
        for endpoint, chain in chains.items():
            declare(f":{chain} - [0:0]")
            self._write_endpoint(add, endpoint, chain)

    def _endpoint_chains(self) -> dict[Endpoint, str]:
        text = f"{self.name}{self.port.protocol}"
        return {
            endpoint: "KUBE-SEP-" + iptables_hash(f"{text}{endpoint.address}:{endpoint.port}")
            for endpoint in self.reach.chained
        }

    def _write_internal_masquerade(self, add: Callable[[str], None]) -> None:
        node = self.node
        if not (node.masquerade_all or node.pod_cidr):
            return
        source = "" if node.masquerade_all else f"! -s {node.pod_cidr} "
        add(
            f'-A {self.internal_chain} -m comment --comment "{self.name} cluster IP" {self.match} '
            f"-d {self.service.cluster_ip} --dport {self.port.port} {source}-j KUBE-MARK-MASQ"
        )

    def _write_external_chain(self, add: Callable[[str], None]) -> None:
        start = f"-A {self.external_chain}"
        traffic = f"for {self.name} external destinations"
        from_here = "-m addrtype --src-type LOCAL -j"
        if not self.external_local:
            add(f'{start} -m comment --comment "masquerade traffic {traffic}" -j KUBE-MARK-MASQ')
        else:
            if self.node.pod_cidr:
                add(
                    f'{start} -m comment --comment "pod traffic {traffic}" '
                    f"-s {self.node.pod_cidr} -j {self.cluster_chain}"
                )
            add(
                f'{start} -m comment --comment "masquerade LOCAL traffic {traffic}" '
                f"{from_here} KUBE-MARK-MASQ"
            )
            add(
                f'{start} -m comment --comment "route LOCAL traffic {traffic}" '
                f"{from_here} {self.cluster_chain}"
            )
        if self.external_usable:
            add(f"{start} -j {self.local_chain if self.external_local else self.cluster_chain}")

    def _write_firewall_chain(self, add: Callable[[str], None]) -> None:
        service = self.service
        start = f"-A {self.firewall_chain} -m comment --comment"
        allowed = list(service.source_ranges)
        # A balancer's address is often the node's own, so that the node's packets to it come back
        # with that very address as their source.
        if includes(service.source_ranges, self.node.address):
            allowed += service.load_balancer_ips
        for source in allowed:
            add(f'{start} "{self.name} loadbalancer IP" -s {source} -j {self.external_chain}')
        add(f'{start} "other traffic to {self.name} will be dropped by KUBE-PROXY-FIREWALL"')

    def _write_spread(
        self,
        add: Callable[[str], None],
        chain: str,
        endpoints: Sequence[Endpoint],
        chains: dict[Endpoint, str],
    ) -> None:
        if self.service.affinity_seconds:
            for endpoint in endpoints:
                target = chains[endpoint]
                add(
                    f"-A {chain} {self._arrow(endpoint)}-m recent --name {target} --rcheck "
                    f"--seconds {self.service.affinity_seconds} --reap -j {target}"
                )
        left = len(endpoints)
        for endpoint in endpoints:
            chance = f"-m statistic --mode random --probability {1 / left:.10f} "
            add(
                f"-A {chain} {self._arrow(endpoint)}{chance if left > 1 else ''}"
                f"-j {chains[endpoint]}"
            )
            left -= 1

    def _arrow(self, endpoint: Endpoint) -> str:
        return "" if self.large else f'-m comment --comment "{self.name} -> {endpoint}" '

    def _write_endpoint(self, add: Callable[[str], None], endpoint: Endpoint, chain: str) -> None:
        affinity = f"-m recent --name {chain} --set " if self.service.affinity_seconds else ""
        add(f"-A {chain} {self.comment}-s {endpoint.address} -j KUBE-MARK-MASQ")
        add(
            f"-A {chain} {self.comment}{affinity}{self.match} "
            f"-j DNAT --to-destination {endpoint.address}:{endpoint.port}"
        )


def includes(ranges: Iterable[str], address: str) -> bool:
    """Whether an address lies in one of some CIDR ranges."""
    wanted = IPv4Address(address)
    return any(wanted in IPv4Network(text, strict=False) for text in ranges)
