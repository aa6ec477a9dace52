"""The nftables program: the transaction that kube-proxy pipes into ``nft -f -``.

Names, rules and comments are kube-proxy's own output format (kubernetes/kubernetes,
pkg/proxy/nftables/proxier.go and the expected dumps of proxier_test.go, release 1.35), one command
a line as its library (knftables) writes them. Chains that carry one port are written by
`service_port.PortRules`; the transaction around them here.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from cnbench.proxy.chunks import in_chunks
from cnbench.proxy.model import MARK, Endpoint, Service, ServicePort, TrafficPolicy
from cnbench.proxy.names import nft_name_base
from cnbench.proxy.nftables.dialect import Dialect, dialect_of, in_a_name
from cnbench.proxy.nftables.service_port import PortRules
from cnbench.proxy.nftables.spread import Spread
from cnbench.proxy.node import Node, node_ports

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
_BY_ADDRESS = "{address} . inet_proto . inet_service"
_BY_PORT = "inet_proto . inet_service"
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
    return "".join(chunks(services, node))


def chunks(services: Collection[Service], node: Node) -> Iterator[str]:
    """Write the full transaction chunk by chunk, to be read while it is still being written."""
    return in_chunks(_lines(services, node))


def _lines(services: Iterable[Service], node: Node) -> Iterator[Iterable[str]]:
    yield _table(node)
    yield from _lines_of_services(services, node)


def _lines_of_services(
    services: Iterable[Service], node: Node, *, spreads: bool = True
) -> Iterator[Iterable[str]]:
    table = dialect_of(node).table
    for service in services:
        for rules in _ports(service, node):
            lines: list[str] = []
            rules.write_chains(lines.append, spreads=spreads)
            yield lines
            yield [f"add element {table} {element}" for element in rules.elements()]


def without_spreads(services: Iterable[Service], node: Node, *, table: bool) -> Iterator[str]:
    """Write all but the `spreads` of some services, chunk by chunk; the table before, if asked."""
    head = [_table(node)] if table else []
    return in_chunks(itertools.chain(head, _lines_of_services(services, node, spreads=False)))


def spreads(services: Iterable[Service], node: Node) -> Iterator[Spread]:
    """Give the rules that spread services' connections over their endpoints."""
    return (
        spread
        for service in services
        for rules in _ports(service, node)
        for spread in rules.spreads()
    )


def update(previous: Iterable[Service], current: Iterable[Service], node: Node) -> str:
    """Write the transaction that turns some services from what they were to what they are.

    Both hold the services that have changed alone; a new one is in ``current`` only, a deleted one
    in ``previous`` only. As in kube-proxy the chains of a changed service are written again, its
    map elements only where they differ. Chains no longer used stay: see `emptying`.
    """
    lines: list[str] = []
    table = dialect_of(node).table
    before = _elements(previous, node)
    after = _elements(current, node)
    for service in current:
        for rules in _ports(service, node):
            rules.write_chains(lines.append)
    for key, element in before.items():
        if after.get(key) != element:
            lines.append(f"delete element {table} {key} }}")
    for key, element in after.items():
        if before.get(key) != element:
            lines.append(f"add element {table} {element}")
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


def emptying(gone: Owned, node: Node) -> str:
    """Write the lines that empty chains no longer used, and delete their sets.

    Kernels before 6.2 still see a map element that has just gone, so that its chain cannot be
    deleted in the same transaction; kube-proxy does so at a sync that comes a second or more later.
    """
    table = dialect_of(node).table
    lines = [f"flush chain {table} {chain}\n" for chain in sorted(gone.chains)]
    lines += [f"delete set {table} {name}\n" for name in sorted(gone.sets)]
    return "".join(lines)


def deletion(chains: Iterable[str], node: Node) -> str:
    """Write the transaction that deletes empty chains."""
    table = dialect_of(node).table
    return "".join(f"delete chain {table} {chain}\n" for chain in chains)


def internal_chain(service: Service, port: ServicePort) -> str:
    """Name the chain that spreads a cluster IP's traffic over the endpoints that its policy has."""
    kind = "local" if service.internal_policy is TrafficPolicy.LOCAL else "service"
    text = f"{service.namespace}/{service.name}/{port.protocol}/{port.name}"
    return f"{kind}-{nft_name_base(text)}"


def endpoint_chain(service: Service, port: ServicePort, endpoint: Endpoint) -> str:
    """Name the chain that sends a port's traffic to one endpoint."""
    text = f"{service.namespace}/{service.name}/{port.protocol}/{port.name}"
    return "endpoint-" + nft_name_base(f"{text}__{in_a_name(endpoint)}")


def _ports(service: Service, node: Node) -> Iterator[PortRules]:
    if not service.headless:
        for port in service.ports:
            yield PortRules(service, port, node)


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
    dialect = dialect_of(node)
    table = dialect.table
    yield f'add table {table} {{ comment "rules for kube-proxy" ; }}'
    for chain in _BASE_CHAINS:
        # Made and deleted first: a chain of another priority under the same name would be an error.
        yield f"add chain {table} {chain}"
        yield f"delete chain {table} {chain}"
    for chain, hook in _BASE_CHAINS.items():
        yield f"add chain {table} {chain} {{ {hook} ; }}"
        yield f"flush chain {table} {chain}"
    for chain in _CHAINS:
        yield f"add chain {table} {chain}"
        yield f"flush chain {table} {chain}"
    for chain, match, target in _JUMPS:
        yield f"add rule {table} {chain} {match}jump {target}"
    yield from _masquerade_rules(table)
    yield from _containers(node, dialect)
    yield from _check_rules(node, dialect)
    for name in ("cluster-ips", *_MAPS):
        yield f"flush {'map' if name in _MAPS else 'set'} {table} {name}"


def _masquerade_rules(table: str) -> Iterator[str]:
    yield f"add rule {table} mark-for-masquerade mark set mark or {MARK}"
    yield f"add rule {table} masquerading mark and {MARK} == 0 return"
    yield f"add rule {table} masquerading mark set mark xor {MARK}"
    yield f"add rule {table} masquerading masquerade fully-random"


def _everywhere(node: Node) -> bool:
    """Whether every address of the node accepts node ports: not by default, as elsewhere."""
    return bool(node.node_port_addresses) and node_ports(node).everywhere


def _containers(node: Node, dialect: Dialect) -> Iterator[str]:
    table, kind = dialect.table, dialect.address_type
    yield f'add set {table} cluster-ips {{ type {kind} ; comment "Active ClusterIPs" ; }}'
    about = 'comment "IPs that accept NodePort traffic"'
    yield f"add set {table} nodeport-ips {{ type {kind} ; {about} ; }}"
    if _everywhere(node):
        yield f"delete set {table} nodeport-ips"
    else:
        yield f"flush set {table} nodeport-ips"
        found = node_ports(node).but_loopback
        for address in found if node.node_port_addresses else found[:1]:
            yield f"add element {table} nodeport-ips {{ {address} }}"
    for name, (key, comment) in _MAPS.items():
        of = f"type {key.format(address=kind)} : verdict"
        yield f'add map {table} {name} {{ {of} ; comment "{comment}" ; }}'


def _check_rules(node: Node, dialect: Dialect) -> Iterator[str]:
    table, ip = dialect.table, dialect.ip
    by_address = f"{ip} daddr . meta l4proto . th dport vmap"
    by_port = "meta l4proto . th dport vmap"
    everywhere = _everywhere(node)
    here = f"{ip} daddr != {dialect.localhost}" if everywhere else f"{ip} daddr @nodeport-ips"
    local = f"fib daddr type local {here}" if everywhere else here
    helper = "helper for @no-endpoint-services / @no-endpoint-nodeports"
    yield f'add chain {table} reject-chain {{ comment "{helper}" ; }}'
    yield f"flush chain {table} reject-chain"
    yield f"add rule {table} reject-chain reject"
    yield (
        f"add rule {table} cluster-ips-check {ip} daddr @cluster-ips reject "
        'comment "Reject traffic to invalid ports of ClusterIPs"'
    )
    if node.service_cidr:
        yield (
            f"add rule {table} cluster-ips-check {ip} daddr {{ {node.service_cidr} }} drop "
            'comment "Drop traffic to unallocated ClusterIPs"'
        )
    yield f"add rule {table} service-endpoints-check {by_address} @no-endpoint-services"
    yield f"add rule {table} nodeport-endpoints-check {here} {by_port} @no-endpoint-nodeports"
    yield f"add rule {table} firewall-check {by_address} @firewall-ips"
    yield f"add rule {table} services {by_address} @service-ips"
    yield f"add rule {table} services {local} {by_port} @service-nodeports"
