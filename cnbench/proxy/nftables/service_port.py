"""The nftables chains, rules and elements of one service port, in kube-proxy's words and order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

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
from cnbench.proxy.names import nft_name_base
from cnbench.proxy.nftables.dialect import dialect_of, in_a_name
from cnbench.proxy.nftables.spread import Spread
from cnbench.proxy.node import Node, includes


@dataclass(frozen=True, slots=True)
class _Target:
    """An endpoint with the chain that leads to it and the set of clients that stick to it."""

    endpoint: Endpoint
    chain: str
    affinity_set: str


class PortRules:
    """The chains, rules and elements of one service port."""

    def __init__(self, service: Service, port: ServicePort, node: Node) -> None:
        self.service = service
        self.port = port
        self.node = node
        self.dialect = dialect = dialect_of(node)
        self.table, self.ip = dialect.table, dialect.ip
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
        base = nft_name_base(f"{self.text}__{in_a_name(endpoint)}")
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

    def spreads(self) -> Iterator[Spread]:
        """Give the rules that spread connections over endpoints; each is the last of its chain."""
        return (Spread(chain, [t.chain for t in targets]) for chain, targets in self._spread())

    def _spread(self) -> Iterator[tuple[str, Sequence[_Target]]]:
        """The chains that spread connections, and over which targets."""
        if self.cluster:
            yield self.cluster_chain, self.cluster
        if self.local:
            yield self.local_chain, self.local

    def write_chains(self, add: Callable[[str], None], *, spreads: bool = True) -> None:
        """Add the port's own chains, emptied, and their rules; those of `spreads` where asked."""
        table = self.table
        for chain in self.chains():
            add(f"add chain {table} {chain}")
            add(f"flush chain {table} {chain}")
        if self.internal_usable:
            self._write_internal_masquerade(add)
        if self.external:
            self._write_external_chain(add)
        if self.firewalled:
            self._write_firewall_chain(add)
        for name in self.affinity_sets():
            add(
                f"add set {self.table} {name} {{ type {self.dialect.address_type} ; "
                f"flags dynamic,timeout ; timeout {self.service.affinity_seconds}s ; }}"
            )
        for chain, targets in self._spread():
            if self.service.affinity_seconds:
                self._write_affinity(add, chain, targets)
            if spreads:
                add(f"add rule {self.table} {Spread(chain, [target.chain for target in targets])}")
        for target in self.targets:
            self._write_endpoint(add, target)

    def _write_internal_masquerade(self, add: Callable[[str], None]) -> None:
        if self.node.masquerade_all:
            source = ""
        elif self.node.pod_cidr:
            source = f"{self.ip} saddr != {self.node.pod_cidr} "
        else:
            return
        add(
            f"add rule {self.table} {self.internal_chain} "
            f"{self.ip} daddr {self.service.cluster_ip} {source}jump mark-for-masquerade"
        )

    def _write_external_chain(self, add: Callable[[str], None]) -> None:
        start = f"add rule {self.table} {self.external_chain}"
        if not self.external_local:
            add(f"{start} jump mark-for-masquerade")
        else:
            if self.node.pod_cidr:
                add(
                    f"{start} {self.ip} saddr {self.node.pod_cidr} goto {self.cluster_chain} "
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
        add(f"add rule {self.table} {self.firewall_chain} {self.ip} saddr != {{ {sources} }} drop")

    def _write_affinity(
        self, add: Callable[[str], None], chain: str, targets: Sequence[_Target]
    ) -> None:
        start = f"add rule {self.table} {chain} {self.ip} saddr"
        for target in targets:
            add(f"{start} @{target.affinity_set} goto {target.chain}")

    def _write_endpoint(self, add: Callable[[str], None], target: _Target) -> None:
        endpoint = target.endpoint
        start = f"add rule {self.table} {target.chain}"
        add(f"{start} {self.ip} saddr {endpoint.address} jump mark-for-masquerade")
        if self.service.affinity_seconds:
            add(f"{start} update @{target.affinity_set} {{ {self.ip} saddr }}")
        add(f"{start} meta l4proto {self.port.protocol} dnat to {endpoint}")
