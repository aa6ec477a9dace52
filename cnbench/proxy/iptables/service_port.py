"""The iptables rules of one service port, in kube-proxy's words and order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cnbench.proxy.model import (
    Endpoint,
    Service,
    ServicePort,
    TrafficPolicy,
    external_stays_local,
    externally_accessible,
    reach,
    uses_cluster_endpoints,
    uses_local_endpoints,
)
from cnbench.proxy.names import iptables_hash
from cnbench.proxy.node import Node, includes, node_ports

_MATCHES = {protocol: f"-m {protocol} -p {protocol}" for protocol in ("tcp", "udp", "sctp")}


class PortRules:
    """The rules of one service port."""

    # There are very many of them at once.
    __slots__ = (
        "_cluster",
        "_local",
        "_named",
        "comment",
        "external",
        "external_local",
        "external_usable",
        "firewalled",
        "internal_local",
        "internal_usable",
        "large",
        "match",
        "name",
        "node",
        "port",
        "reach",
        "service",
        "suffix",
    )

    def __init__(self, service: Service, port: ServicePort, node: Node, large: bool) -> None:
        self.service = service
        self.port = port
        self.node = node
        self.name = name = service.port_name(port)
        self.suffix = iptables_hash(name + port.protocol)
        self._named: list[tuple[Endpoint, str]] | None = None
        self.reach = found = reach(service, port)
        self._cluster = found.cluster if uses_cluster_endpoints(service, port) else ()
        self._local = found.local if uses_local_endpoints(service, port) else ()
        self.external = externally_accessible(service, port)
        self.match = _MATCHES[port.protocol]
        self.comment = "" if large else f"-m comment --comment {name} "
        self.large = large
        usable = self.reach.any_usable
        here = bool(self.reach.local)
        self.internal_local = service.internal_policy is TrafficPolicy.LOCAL
        self.external_local = external_stays_local(service, port)
        self.internal_usable = usable and (here or not self.internal_local)
        self.external_usable = usable and (here or not self.external_local)
        self.firewalled = bool(usable and service.load_balancer_ips and service.source_ranges)

    @property
    def cluster_chain(self) -> str:
        """Name the chain that spreads traffic over the cluster's endpoints."""
        return f"KUBE-SVC-{self.suffix}"

    @property
    def local_chain(self) -> str:
        """Name the chain that spreads traffic over this node's endpoints."""
        return f"KUBE-SVL-{self.suffix}"

    @property
    def external_chain(self) -> str:
        """Name the chain for traffic to other addresses than the cluster IP."""
        return f"KUBE-EXT-{self.suffix}"

    @property
    def firewall_chain(self) -> str:
        """Name the chain that lets the load balancer's sources pass."""
        return f"KUBE-FW-{self.suffix}"

    @property
    def _internal_chain(self) -> str:
        return self.local_chain if self.internal_local else self.cluster_chain

    def endpoint_chains(self) -> list[tuple[Endpoint, str]]:
        """Give the endpoints that have a chain of their own, and its name."""
        # Named when they are first needed: a partial sync names few.
        if self._named is None:
            text = f"{self.name}{self.port.protocol}"
            self._named = [
                (e, "KUBE-SEP-" + iptables_hash(f"{text}{e}")) for e in self.reach.chained
            ]
        return self._named

    def _chains_of(self, endpoints: Sequence[Endpoint]) -> list[tuple[Endpoint, str]]:
        named = self.endpoint_chains()
        if endpoints is self.reach.chained:
            return named
        chains = dict(named)
        return [(endpoint, chains[endpoint]) for endpoint in endpoints]

    def filter_rules(self) -> list[str]:
        """Give the filter table's rules, written at every sync: rejections, mostly."""
        rules: list[str] = []
        add = rules.append
        if not self.internal_usable:
            destination = f"-d {self.service.cluster_ip} --dport {self.port.port}"
            add(f"-A KUBE-SERVICES {self._refusal(destination)}")
        if self.external:
            self._write_external_filter(add)
        if self.service.health_check_node_port:
            add(
                f'-A KUBE-NODEPORTS -m comment --comment "{self.name} health check node port" '
                f"-m tcp -p tcp --dport {self.service.health_check_node_port} -j ACCEPT"
            )
        return rules

    def write(self, add: Callable[[str], None], *, whole: bool) -> None:
        """Add the jumps to the port's chains, and with ``whole`` the rules of these."""
        self._write_ways_in(add)
        if whole and self.reach.any_usable:
            self._write_own_chains(add)

    def _write_ways_in(self, add: Callable[[str], None]) -> None:
        if self.internal_usable:
            add(
                f'-A KUBE-SERVICES -m comment --comment "{self.name} cluster IP" {self.match} '
                f"-d {self.service.cluster_ip} --dport {self.port.port} -j {self._internal_chain}"
            )
        if self.external and self.reach.any_usable:
            self._write_external_ways_in(add)

    def _refusal(self, destination: str, before: str = "") -> str:
        reason, verdict = (
            ("local endpoints", "DROP") if self.reach.any_usable else ("endpoints", "REJECT")
        )
        return (
            f'-m comment --comment "{self.name} has no {reason}" '
            f"{before}{self.match} {destination} -j {verdict}"
        )

    def _external_addresses(self) -> Iterator[tuple[str, str, bool]]:
        """Every address but the cluster IP: what it is, and whether a firewall is before it."""
        for address in self.service.external_ips:
            yield address, "external IP", False
        for address in self.service.load_balancer_ips:
            yield address, "loadbalancer IP", self.firewalled

    def _write_external_filter(self, add: Callable[[str], None]) -> None:
        for address, _, firewalled in self._external_addresses():
            destination = f"-d {address} --dport {self.port.port}"
            if firewalled:
                add(
                    f'-A KUBE-PROXY-FIREWALL -m comment --comment "{self.name} traffic not '
                    f'accepted by {self.firewall_chain}" {self.match} {destination} -j DROP'
                )
            if not self.external_usable:
                add(f"-A KUBE-EXTERNAL-SERVICES {self._refusal(destination)}")
        if self.port.node_port and not self.external_usable:
            refusal = self._refusal(
                f"--dport {self.port.node_port}", before="-m addrtype --dst-type LOCAL "
            )
            add(f"-A KUBE-EXTERNAL-SERVICES {refusal}")

    def _write_external_ways_in(self, add: Callable[[str], None]) -> None:
        for address, kind, firewalled in self._external_addresses():
            chain = self.firewall_chain if firewalled else self.external_chain
            add(
                f'-A KUBE-SERVICES -m comment --comment "{self.name} {kind}" '
                f"{self.match} -d {address} --dport {self.port.port} -j {chain}"
            )
        if self.port.node_port:
            destination = f"--dport {self.port.node_port}"
            start = f"-A KUBE-NODEPORTS -m comment --comment {self.name} {self.match}"
            if self.node.nfacct and node_ports(self.node).localhost:
                add(
                    f"{start} -d 127.0.0.0/8 {destination} -m nfacct --nfacct-name "
                    f"localhost_nps_accepted_pkts -j {self.external_chain}"
                )
            add(f"{start} {destination} -j {self.external_chain}")

    def declarations(self) -> list[str]:
        """Declare the chains that are the port's own."""
        return [f":{chain} - [0:0]" for chain in self.chains()]

    def chains(self) -> Iterator[str]:
        """Name the chains that are the port's own."""
        if not self.reach.any_usable:
            return
        if self._cluster:
            yield self.cluster_chain
        if self._local:
            yield self.local_chain
        if self.external:
            yield self.external_chain
        if self.firewalled:
            yield self.firewall_chain
        for _, chain in self.endpoint_chains():
            yield chain

    def _write_own_chains(self, add: Callable[[str], None]) -> None:
        if self.internal_usable:
            self._write_internal_masquerade(add)
        if self.external:
            self._write_external_chain(add)
        if self.firewalled:
            self._write_firewall_chain(add)
        if self._cluster:
            self._write_spread(add, self.cluster_chain, self._cluster)
        if self._local:
            self._write_spread(add, self.local_chain, self._local)
        for endpoint, chain in self.endpoint_chains():
            self._write_endpoint(add, endpoint, chain)

    def _write_internal_masquerade(self, add: Callable[[str], None]) -> None:
        node = self.node
        if not (node.masquerade_all or node.pod_cidr):
            return
        source = "" if node.masquerade_all else f"! -s {node.pod_cidr} "
        add(
            f'-A {self._internal_chain} -m comment --comment "{self.name} cluster IP" {self.match} '
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
    ) -> None:
        chains = self._chains_of(endpoints)
        if self.service.affinity_seconds:
            for endpoint, target in chains:
                add(
                    f"-A {chain} {self._arrow(endpoint)}-m recent --name {target} --rcheck "
                    f"--seconds {self.service.affinity_seconds} --reap -j {target}"
                )
        left = len(endpoints)
        for endpoint, target in chains:
            chance = f"-m statistic --mode random --probability {1 / left:.10f} "
            add(f"-A {chain} {self._arrow(endpoint)}{chance if left > 1 else ''}-j {target}")
            left -= 1

    def _arrow(self, endpoint: Endpoint) -> str:
        return "" if self.large else f'-m comment --comment "{self.name} -> {endpoint}" '

    def _write_endpoint(self, add: Callable[[str], None], endpoint: Endpoint, chain: str) -> None:
        affinity = f"-m recent --name {chain} --set " if self.service.affinity_seconds else ""
        add(f"-A {chain} {self.comment}-s {endpoint.address} -j KUBE-MARK-MASQ")
        add(f"-A {chain} {self.comment}{affinity}{self.match} -j DNAT --to-destination {endpoint}")
