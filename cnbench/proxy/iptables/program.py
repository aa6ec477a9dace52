"""The iptables program: what kube-proxy pipes into ``iptables-restore --noflush --counters``.

The rules' texts and their order are kube-proxy's own output format (kubernetes/kubernetes,
pkg/proxy/iptables/proxier.go and the expected dumps of proxier_test.go, release 1.33). Chains
that carry one service are written by `service_port.PortRules`, those of plain services, which are
most, by `plain_ports.PlainRun`; the program around them here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cnbench.proxy.chunks import in_chunks
from cnbench.proxy.family import Family
from cnbench.proxy.iptables.plain_ports import PlainRun, PlainRuns, is_plain
from cnbench.proxy.iptables.service_port import PortRules
from cnbench.proxy.model import (
    MARK,
    Endpoint,
    Service,
    ServiceKey,
    ServicePort,
    TrafficPolicy,
)
from cnbench.proxy.names import iptables_hash
from cnbench.proxy.node import Node, node_ports

# Beyond this many endpoints kube-proxy leaves out the endpoints' comments (proxier.go,
# largeClusterEndpointsThreshold), which shortens the program by a good third.
LARGE_CLUSTER_ENDPOINTS = 1000

FILTER_CHAINS = (
    "KUBE-SERVICES",
    "KUBE-EXTERNAL-SERVICES",
    "KUBE-FORWARD",
    "KUBE-NODEPORTS",
    "KUBE-PROXY-FIREWALL",
)
# Only where node ports on localhost are let through, of which it keeps others out.
_LOCALNET_CHAIN = "KUBE-FIREWALL"
NAT_CHAINS = ("KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ")

# Loaded without --noflush, it leaves nothing behind.
EMPTY_PROGRAM = "*filter\nCOMMIT\n*nat\nCOMMIT\n"

_NEW = "-m conntrack --ctstate NEW "
_PORTALS = '-m comment --comment "kubernetes service portals" '
_EXTERNAL = '-m comment --comment "kubernetes externally-visible service portals" '
_BALANCER = '-m comment --comment "kubernetes load balancer firewall" '
_LOCALNET_JUMPS = (f"INPUT -j {_LOCALNET_CHAIN}", f"OUTPUT -j {_LOCALNET_CHAIN}")
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
)
_NAT_JUMPS = (
    f"OUTPUT {_PORTALS}-j KUBE-SERVICES",
    f"PREROUTING {_PORTALS}-j KUBE-SERVICES",
    'POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
)


@dataclass(frozen=True)
class Named:
    """Services whose chains have their names: what kube-proxy keeps of them between two syncs.

    It names a service port's chains when the service is announced (newServiceInfo), and those of
    endpoints at the head of the sync that first has them (checkoutChanges calls newEndpointInfo).
    """

    special: Sequence[Service]
    ports: Sequence[tuple[PortRules | PlainRun, bool]]


def named(services: Collection[Service], node: Node) -> Named:
    """Name the chains of all services."""
    ports = list(_ports(services, node, None, large=is_large(services)))
    for rules, _ in ports:
        if isinstance(rules, PortRules):
            rules.endpoint_chains()
    return Named(_special(services), ports)


def program(services: Collection[Service], node: Node, *, from_empty: bool = False) -> str:
    """Write the restore program of all services, in their order; ``from_empty`` as in `chunks`."""
    return "".join(chunks(services, node, from_empty=from_empty))


def chunks(
    services: Collection[Service],
    node: Node,
    *,
    from_empty: bool = False,
    changed: Collection[ServiceKey] | None = None,
    stale: Iterable[str] = (),
    named: Named | None = None,
    large: bool | None = None,
) -> Iterator[str]:
    """Write a restore program chunk by chunk, so that it is read while it is still being written.

    With ``from_empty`` it has the jumps from the built-in chains as well, to be loaded once: these
    kube-proxy makes by single iptables calls, before its first restore.

    With ``changed`` it is a partial sync: the top-level chains are written whole, and of the
    services' own chains only those of the services named. ``stale`` are chains to delete, such as
    those of an endpoint that is gone; in a partial sync only. Headless services have no rules.

    ``named`` are the same services for the same node, where they were named before. ``large`` says
    whether they are of a large cluster, where they are not all of it.
    """
    large = is_large(services) if large is None else large
    return in_chunks(_lines(services, node, from_empty, changed, list(stale), named, large))


def _lines(
    services: Collection[Service],
    node: Node,
    from_empty: bool,
    changed: Collection[ServiceKey] | None,
    stale: Sequence[str],
    named: Named | None,
    large: bool,
) -> Iterator[Iterable[str]]:
    """The program's lines, some at a time."""
    special = named.special if named else _special(services)
    every = named.ports if named else _ports(services, node, changed, large=large)
    localhost = node_ports(node).localhost
    chains = (*FILTER_CHAINS, _LOCALNET_CHAIN) if localhost else FILTER_CHAINS
    yield "*filter", *(f":{chain} - [0:0]" for chain in chains)
    if from_empty:
        jumps = (*_FILTER_JUMPS, *_LOCALNET_JUMPS) if localhost else _FILTER_JUMPS
        yield (f"-I {jump}" for jump in jumps)
    for rules in _rules_of(special, node, large=large):
        yield rules.filter_rules()
    yield *_forward_rules(node), "COMMIT"
    yield "*nat", *(f":{chain} - [0:0]" for chain in NAT_CHAINS)
    if from_empty:
        yield (f"-I {jump}" for jump in _NAT_JUMPS)
    written: list[tuple[PortRules | PlainRun, bool]] = []
    for ports, whole in every:
        written.append((ports, whole))
        if whole:
            yield ports.declarations()
    yield (f":{chain} - [0:0]" for chain in stale)
    yield _masquerade_rules()
    for ports, whole in written:
        lines: list[str] = []
        ports.write(lines.append, whole=whole)
        yield lines
    yield (f"-X {chain}" for chain in stale)
    yield *node_port_rules(node), "COMMIT"


def _ports(
    services: Iterable[Service],
    node: Node,
    changed: Collection[ServiceKey] | None,
    *,
    large: bool,
) -> Iterator[tuple[PortRules | PlainRun, bool]]:
    """Give all ports in order, plain ones many together, and whether their chains belong in."""
    runs = PlainRuns(node, large=large)
    for service in services:
        whole = changed is None or service.key in changed
        if is_plain(service):
            for port in service.ports:
                if run := runs.add(service, port, whole=whole):
                    yield run, run.whole
        else:
            if run := runs.end():
                yield run, run.whole
            for rules in _rules_of([service], node, large=large):
                yield rules, whole
    if run := runs.end():
        yield run, run.whole


def _special(services: Iterable[Service]) -> list[Service]:
    """Those that can have rules in the filter table, too: a plain service has none."""
    return [service for service in services if not is_plain(service)]


def _rules_of(services: Iterable[Service], node: Node, *, large: bool) -> Iterator[PortRules]:
    for service in services:
        if not service.headless:
            for port in service.ports:
                yield PortRules(service, port, node, large)


def chains_of(service: Service) -> list[str]:
    """List the nat chains that a full sync makes for one service."""
    return [chain for rules in _rules_of([service], Node(), large=True) for chain in rules.chains()]


def internal_chain(service: Service, port: ServicePort) -> str:
    """Name the chain that spreads a cluster IP's traffic over the endpoints that its policy has."""
    local = service.internal_policy is TrafficPolicy.LOCAL
    kind = "KUBE-SVL-" if local else "KUBE-SVC-"
    return kind + iptables_hash(service.port_name(port) + port.protocol)


def endpoint_chain(service: Service, port: ServicePort, endpoint: Endpoint) -> str:
    """Name the chain that sends a port's traffic to one endpoint."""
    return "KUBE-SEP-" + iptables_hash(f"{service.port_name(port)}{port.protocol}{endpoint}")


def is_large(services: Iterable[Service]) -> bool:
    """Whether a cluster has so many endpoints that their rules go without comments.

    Those of headless services are not among what kube-proxy counts.
    """
    total = 0
    for service in services:
        if service.headless:
            continue
        for port in service.ports:
            total += len(port.endpoints)
        if total > LARGE_CLUSTER_ENDPOINTS:
            return True
    return False


def _forward_rules(node: Node) -> list[str]:
    counter = "-m nfacct --nfacct-name ct_state_invalid_dropped_pkts " if node.nfacct else ""
    # Node ports on localhost need route_localnet, which lets others in as well but for this rule.
    localnet = [
        '-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" '
        "-d 127.0.0.0/8 ! -s 127.0.0.0/8 "
        "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"
    ]
    return [
        *(localnet if node_ports(node).localhost else ()),
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


def node_port_rules(node: Node) -> list[str]:
    """Write the rules at the end of KUBE-SERVICES, which leave the rest to the node ports."""
    last = (
        "-A KUBE-SERVICES -m comment --comment "
        '"kubernetes service nodeports; NOTE: this must be the last rule in this chain" '
    )
    found = node_ports(node)
    if found.everywhere:
        but = "! -d ::1/128 " if node.family is Family.IPV6 else ""
        return [f"{last}-m addrtype --dst-type LOCAL {but}-j KUBE-NODEPORTS"]
    reached = found.addresses if node.family is Family.IPV4 else found.but_loopback
    return [f"{last}-d {address} -j KUBE-NODEPORTS" for address in reached]
