"""The iptables rules of one service port, in kube-proxy's words and order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cnbench.proxy.model import (
    Endpoint,
    Node,
    Service,
    ServicePort,
    TrafficPolicy,
    external_stays_local,
    externally_accessible,
    includes,
    reach,
    uses_cluster_endpoints,
    uses_local_endpoints,
)
from cnbench.proxy.names import iptables_hash


class PortRules:
    """The rules of one service port."""

    def __init__(self, service: Service, port: ServicePort, node: Node, large: bool) -> None:
        self.service = service
        self.port = port
        self.node = node
        self.name = name = service.port_name(port)
        self.reach = reach(service, port)
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
