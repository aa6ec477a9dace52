"""The nftables program: the transaction that kube-proxy pipes into ``nft -f -``.

Names, rules and comments are kube-proxy's own output format (kubernetes/kubernetes,
pkg/proxy/nftables/proxier.go and the expected dumps of proxier_test.go, release 1.35), one command
a line as its library (knftables) writes them. Chains that carry one port are written by
`_PortRules`; the transaction around them by `program` and `update`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cnbench.proxy.iptables import MARK, includes
from cnbench.proxy.model import (
    Endpoint,
    Node,
    Service,
    ServicePort,
    TrafficPolicy,
    external_stays_local,
    externally_accessible,
    reach,
    uses_cluster_endpoints,
    uses_local_endpoints,
)
from cnbench.proxy.names import nft_name_base

TABLE = "ip kube-proxy"

_FILTER = "type filter hook"
_NAT = "type nat hook"
_BASE_CHAINS = {
    "filter-prerouting-pre-dnat": f"{_FILTER} prerouting priority -110",
    "filter-output-pre-dnat": f"{_FILTER} output priority -110",
    "filter-input": f"{_FILTER} input priority 0",
    "filter-forward": f"{_FILTER} forward priority 0",
    "filter-output": f"{_FILTER} output priority 0",
    "nat-prerouting": f"{_NAT} prerouting priority -100",
    "nat-output": f"{_NAT} output priority -100",
    "nat-postrouting": f"{_NAT} postrouting priority 100",
}
_JUMPS = (
    ("filter-input", "ct state new ", "nodeport-endpoints-check"),
    ("filter-input", "ct state new ", "service-endpoints-check"),
    ("filter-forward", "ct state new ", "service-endpoints-check"),
    ("filter-output", "ct state new ", "service-endpoints-check"),
    ("filter-prerouting-pre-dnat", "ct state new ", "firewall-check"),
    ("filter-output-pre-dnat", "ct state new ", "firewall-check"),
    ("nat-output", "", "services"),
    ("nat-prerouting", "", "services"),
    ("nat-postrouting", "", "masquerading"),
    ("filter-forward", "ct state new ", "cluster-ips-check"),
    ("filter-output", "ct state new ", "cluster-ips-check"),
)
_CHAINS = (
    "nodeport-endpoints-check",
    "service-endpoints-check",
    "firewall-check",
    "services",
    "masquerading",
    "cluster-ips-check",
    "mark-for-masquerade",
)
_BY_ADDRESS = "type ipv4_addr . inet_proto . inet_service : verdict"
_BY_PORT = "type inet_proto . inet_service : verdict"
_MAPS = {
    "no-endpoint-services": (
        _BY_ADDRESS,
        "vmap to drop or reject packets to services with no endpoints",
    ),
    "no-endpoint-nodeports": (
        _BY_PORT,
        "vmap to drop or reject packets to service nodeports with no endpoints",
    ),
    "firewall-ips": (_BY_ADDRESS, "destinations that are subject to LoadBalancerSourceRanges"),
    "service-ips": (_BY_ADDRESS, "ClusterIP, ExternalIP and LoadBalancer IP traffic"),
    "service-nodeports": (_BY_PORT, "NodePort traffic"),
}


def program(services: Collection[Service], node: Node) -> str:
    """Write the full transaction: the table, its chains, sets and maps, and every service."""
    lines = [*_table(node)]
    for service in services:
        for rules in _ports(service, node):
            rules.write_chains(lines.append)
            lines += [f"add element {TABLE} {element}" for element in rules.elements()]
    lines.append("")
    return "\n".join(lines)


def update(previous: Iterable[Service], current: Iterable[Service], node: Node) -> str:
    """Write the transaction that turns some services from what they were to what they are.

    Both hold the services that have changed alone; a new one is in ``current`` only, a deleted one
    in ``previous`` only. As in kube-proxy the chains of a changed service are written again, its
    map elements only where they differ. Chains no longer used stay: see `emptying`.
    """
    lines: list[str] = []
    before = _elements(previous, node)
    after = _elements(current, node)
    for service in current:
        for rules in _ports(service, node):
            rules.write_chains(lines.append)
    for key, element in before.items():
        if after.get(key) != element:
            lines.append(f"delete element {TABLE} {key} }}")
    for key, element in after.items():
        if before.get(key) != element:
            lines.append(f"add element {TABLE} {element}")
    lines.append("")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Owned:
    """What some services have of their own: chains, and sets of the clients that stick."""

    chains: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()

    def __sub__(self, other: Owned) -> Owned:
        return Owned(self.chains - other.chains, self.sets - other.sets)


def owned(services: Iterable[Service], node: Node) -> Owned:
    """Name the chains and the sets that some services have of their own."""
    ports = [rules for service in services for rules in _ports(service, node)]
    return Owned(
        frozenset(chain for rules in ports for chain in rules.chains()),
        frozenset(name for rules in ports for name in rules.affinity_sets()),
    )


def emptying(gone: Owned) -> str:
    """Write the lines that empty chains no longer used, and delete their sets.

    Kernels before 6.2 still see a map element that has just gone, so that its chain cannot be
    deleted in the same transaction; kube-proxy does so at a sync that comes a second or more later.
    """
    lines = [f"flush chain {TABLE} {chain}\n" for chain in sorted(gone.chains)]
    lines += [f"delete set {TABLE} {name}\n" for name in sorted(gone.sets)]
    return "".join(lines)


def deletion(chains: Iterable[str]) -> str:
    """Write the transaction that deletes empty chains."""
    return "".join(f"delete chain {TABLE} {chain}\n" for chain in chains)


def service_chain(service: Service, port: ServicePort) -> str:
    """Name the chain that spreads a port's traffic over the cluster's endpoints."""
    text = f"{service.namespace}/{service.name}/{port.protocol}/{port.name}"
    return "service-" + nft_name_base(text)


def endpoint_chain(service: Service, port: ServicePort, endpoint: Endpoint) -> str:
    """Name the chain that sends a port's traffic to one endpoint."""
    text = f"{service.namespace}/{service.name}/{port.protocol}/{port.name}"
    return "endpoint-" + nft_name_base(f"{text}__{endpoint.address}/{endpoint.port}")


def _ports(service: Service, node: Node) -> Iterator[_PortRules]:
    if not service.headless:
        for port in service.ports:
            yield _PortRules(service, port, node)


def _elements(services: Iterable[Service], node: Node) -> dict[str, str]:
    return {
        _element_key(element): element
        for service in services
        for rules in _ports(service, node)
        for element in rules.elements()
    }


def _element_key(element: str) -> str:
    # `MAP { KEY comment "..." : VERDICT }` becomes `MAP { KEY`, which is enough to delete it.
    return element.removesuffix(" }").split(" : ", 1)[0].split(' comment "', 1)[0]


def _table(node: Node) -> Iterator[str]:
    yield f'add table {TABLE} {{ comment "rules for kube-proxy" ; }}'
    for chain in _BASE_CHAINS:
        # Made and deleted first: a chain of another priority under the same name would be an error.
        yield f"add chain {TABLE} {chain}"
        yield f"delete chain {TABLE} {chain}"
    for chain, hook in _BASE_CHAINS.items():
        yield f"add chain {TABLE} {chain} {{ {hook} ; }}"
        yield f"flush chain {TABLE} {chain}"
    for chain in _CHAINS:
        yield f"add chain {TABLE} {chain}"
        yield f"flush chain {TABLE} {chain}"
    for chain, match, target in _JUMPS:
        yield f"add rule {TABLE} {chain} {match}jump {target}"
    yield from _masquerade_rules()
    yield from _containers(node)
    yield from _check_rules(node)
    for name in ("cluster-ips", *_MAPS):
        yield f"flush {'map' if name in _MAPS else 'set'} {TABLE} {name}"


def _masquerade_rules() -> Iterator[str]:
    yield f"add rule {TABLE} mark-for-masquerade mark set mark or {MARK}"
    yield f"add rule {TABLE} masquerading mark and {MARK} == 0 return"
    yield f"add rule {TABLE} masquerading mark set mark xor {MARK}"
    yield f"add rule {TABLE} masquerading masquerade fully-random"


def _containers(node: Node) -> Iterator[str]:
    yield f'add set {TABLE} cluster-ips {{ type ipv4_addr ; comment "Active ClusterIPs" ; }}'
    about = 'comment "IPs that accept NodePort traffic"'
    yield f"add set {TABLE} nodeport-ips {{ type ipv4_addr ; {about} ; }}"
    if node.node_port_addresses:
        yield f"flush set {TABLE} nodeport-ips"
        for address in node.node_port_addresses:
            yield f"add element {TABLE} nodeport-ips {{ {address} }}"
    else:
        yield f"delete set {TABLE} nodeport-ips"
    for name, (kind, comment) in _MAPS.items():
        yield f'add map {TABLE} {name} {{ {kind} ; comment "{comment}" ; }}'


def _check_rules(node: Node) -> Iterator[str]:
    by_address = "ip daddr . meta l4proto . th dport vmap"
    by_port = "meta l4proto . th dport vmap"
    here = "ip daddr @nodeport-ips" if node.node_port_addresses else "ip daddr != 127.0.0.0/8"
    local = here if node.node_port_addresses else f"fib daddr type local {here}"
    helper = "helper for @no-endpoint-services / @no-endpoint-nodeports"
    yield f'add chain {TABLE} reject-chain {{ comment "{helper}" ; }}'
    yield f"flush chain {TABLE} reject-chain"
    yield f"add rule {TABLE} reject-chain reject"
    yield (
        f"add rule {TABLE} cluster-ips-check ip daddr @cluster-ips reject "
        'comment "Reject traffic to invalid ports of ClusterIPs"'
    )
    if node.service_cidr:
        yield (
            f"add rule {TABLE} cluster-ips-check ip daddr {{ {node.service_cidr} }} drop "
            'comment "Drop traffic to unallocated ClusterIPs"'
        )
    yield f"add rule {TABLE} service-endpoints-check {by_address} @no-endpoint-services"
    yield f"add rule {TABLE} nodeport-endpoints-check {here} {by_port} @no-endpoint-nodeports"
    yield f"add rule {TABLE} firewall-check {by_address} @firewall-ips"
    yield f"add rule {TABLE} services {by_address} @service-ips"
    yield f"add rule {TABLE} services {local} {by_port} @service-nodeports"


@dataclass(frozen=True, slots=True)
class _Target:
    """An endpoint with the chain that leads to it and the set of clients that stick to it."""

    endpoint: Endpoint
    chain: str
    affinity_set: str


class _PortRules:
    """The chains, rules and elements of one service port."""

    def __init__(self, service: Service, port: ServicePort, node: Node) -> None:
        self.service = service
        self.port = port
        self.node = node
        self.text = text = f"{service.namespace}/{service.name}/{port.protocol}/{port.name}"
        base = nft_name_base(text)
        self.cluster_chain = f"service-{base}"
        self.local_chain = f"local-{base}"
        self.external_chain = f"external-{base}"
        self.firewall_chain = f"firewall-{base}"
        found = reach(service, port)
        targets = {endpoint: self._target(endpoint) for endpoint in found.chained}
        self.targets = tuple(targets.values())
        self.usable = found.any_usable
        self.cluster: Sequence[_Target] = ()
        self.local: Sequence[_Target] = ()
        if uses_cluster_endpoints(service, port):
            self.cluster = [targets[endpoint] for endpoint in found.cluster]
        if uses_local_endpoints(service, port):
            self.local = [targets[endpoint] for endpoint in found.local]
        here = bool(found.local)
        internal_local = service.internal_policy is TrafficPolicy.LOCAL
        self.external_local = external_stays_local(service, port)
        self.internal_chain = self.local_chain if internal_local else self.cluster_chain
        self.internal_usable = self.usable and (here or not internal_local)
        self.external_usable = self.usable and (here or not self.external_local)
        self.external = self.usable and externally_accessible(service, port)
        self.firewalled = bool(service.load_balancer_ips and service.source_ranges)

    def _target(self, endpoint: Endpoint) -> _Target:
        base = nft_name_base(f"{self.text}__{endpoint.address}/{endpoint.port}")
        return _Target(endpoint, f"endpoint-{base}", f"affinity-{base}")

    def chains(self) -> Iterator[str]:
        """Name the chains that are the port's own."""
        for target in self.targets:
            yield target.chain
        if self.cluster:
            yield self.cluster_chain
        if self.local:
            yield self.local_chain
        if self.external:
            yield self.external_chain
        if self.firewalled:
            yield self.firewall_chain

    def affinity_sets(self) -> Iterator[str]:
        """Name the sets of clients that stick to an endpoint."""
        if self.service.affinity_seconds:
            for target in self.targets:
                yield target.affinity_set

    def elements(self) -> Iterator[str]:
        """Give the port's elements of the sets and maps, as ``MAP { KEY : VERDICT }``."""
        service, port = self.service, self.port
        refusal = "drop" if self.usable else "goto reject-chain"
        comment = f'comment "{service.port_name(port)}"'
        ends = f". {port.protocol} . {port.port}"
        yield f"cluster-ips {{ {service.cluster_ip} }}"
        if self.internal_usable:
            yield f"service-ips {{ {service.cluster_ip} {ends} : goto {self.internal_chain} }}"
        else:
            yield f"no-endpoint-services {{ {service.cluster_ip} {ends} {comment} : {refusal} }}"
        for address in (*service.external_ips, *service.load_balancer_ips):
            if self.usable:
                yield f"service-ips {{ {address} {ends} : goto {self.external_chain} }}"
            if not self.external_usable:
                yield f"no-endpoint-services {{ {address} {ends} {comment} : {refusal} }}"
        if self.firewalled:
            for address in service.load_balancer_ips:
                yield f"firewall-ips {{ {address} {ends} : goto {self.firewall_chain} }}"
        if port.node_port:
            key = f"{port.protocol} . {port.node_port}"
            if self.usable:
                yield f"service-nodeports {{ {key} : goto {self.external_chain} }}"
            if not self.external_usable:
                yield f"no-endpoint-nodeports {{ {key} {comment} : {refusal} }}"

    def write_chains(self, add: Callable[[str], None]) -> None:
        """Add the port's own chains, emptied, and their rules."""
        for chain in self.chains():
            add(f"add chain {TABLE} {chain}")
            add(f"flush chain {TABLE} {chain}")
        if self.internal_usable:
            self._write_internal_masquerade(add)
        if self.external:
            self._write_external_chain(add)
        if self.firewalled:
            self._write_firewall_chain(add)
        for name in self.affinity_sets():
            add(
                f"add set {TABLE} {name} {{ type ipv4_addr ; "
                f"flags dynamic,timeout ; timeout {self.service.affinity_seconds}s ; }}"
            )
        self._write_spread(add, self.cluster_chain, self.cluster)
        self._write_spread(add, self.local_chain, self.local)
        for target in self.targets:
            self._write_endpoint(add, target)

    def _write_internal_masquerade(self, add: Callable[[str], None]) -> None:
        if self.node.masquerade_all:
            source = ""
        elif self.node.pod_cidr:
            source = f"ip saddr != {self.node.pod_cidr} "
        else:
            return
        add(
            f"add rule {TABLE} {self.internal_chain} ip daddr {self.service.cluster_ip} "
            f"{source}jump mark-for-masquerade"
        )

    def _write_external_chain(self, add: Callable[[str], None]) -> None:
        start = f"add rule {TABLE} {self.external_chain}"
        if not self.external_local:
            add(f"{start} jump mark-for-masquerade")
        else:
            if self.node.pod_cidr:
                add(
                    f"{start} ip saddr {self.node.pod_cidr} goto {self.cluster_chain} "
                    'comment "short-circuit pod traffic"'
                )
            add(
                f"{start} fib saddr type local jump mark-for-masquerade "
                'comment "masquerade local traffic"'
            )
            add(
                f"{start} fib saddr type local goto {self.cluster_chain} "
                'comment "short-circuit local traffic"'
            )
        if self.external_usable:
            add(f"{start} goto {self.local_chain if self.external_local else self.cluster_chain}")

    def _write_firewall_chain(self, add: Callable[[str], None]) -> None:
        allowed = list(self.service.source_ranges)
        # A balancer's address is often the node's own, so that the node's packets to it come back
        # with that very address as their source.
        if includes(self.service.source_ranges, self.node.address):
            allowed += self.service.load_balancer_ips
        sources = " , ".join(allowed)
        add(f"add rule {TABLE} {self.firewall_chain} ip saddr != {{ {sources} }} drop")

    def _write_spread(
        self, add: Callable[[str], None], chain: str, targets: Sequence[_Target]
    ) -> None:
        if not targets:
            return
        if self.service.affinity_seconds:
            for target in targets:
                add(f"add rule {TABLE} {chain} ip saddr @{target.affinity_set} goto {target.chain}")
        verdicts = " , ".join(f"{n} : goto {target.chain}" for n, target in enumerate(targets))
        add(f"add rule {TABLE} {chain} numgen random mod {len(targets)} vmap {{ {verdicts} }}")

    def _write_endpoint(self, add: Callable[[str], None], target: _Target) -> None:
        endpoint = target.endpoint
        start = f"add rule {TABLE} {target.chain}"
        add(f"{start} ip saddr {endpoint.address} jump mark-for-masquerade")
        if self.service.affinity_seconds:
            add(f"{start} update @{target.affinity_set} {{ ip saddr }}")
        add(f"{start} meta l4proto {self.port.protocol} dnat to {endpoint}")
