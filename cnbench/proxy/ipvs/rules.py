"""The iptables rules of IPVS mode: as many with one service as with 50,000.

They match sets, and their texts and order are kube-proxy's own output format
(kubernetes/kubernetes, pkg/proxy/ipvs/proxier.go, writeIptablesRules, release 1.33). A rule whose
set is empty is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from cnbench.proxy.ipvs.program import BlockedAddress, set_name
from cnbench.proxy.model import MARK
from cnbench.proxy.node import Node

NAT_CHAINS = (
    "KUBE-SERVICES",
    "KUBE-POSTROUTING",
    "KUBE-NODE-PORT",
    "KUBE-LOAD-BALANCER",
    "KUBE-MARK-MASQ",
)
FILTER_CHAINS = (
    "KUBE-FORWARD",
    "KUBE-NODE-PORT",
    "KUBE-PROXY-FIREWALL",
    "KUBE-SOURCE-RANGES-FIREWALL",
    "KUBE-IPVS-FILTER",
    "KUBE-IPVS-OUT-FILTER",
)
COMMENTS = {
    "KUBE-LOOP-BACK": "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose",
    "KUBE-CLUSTER-IP": "Kubernetes service cluster ip + port for masquerade purpose",
    "KUBE-EXTERNAL-IP": "Kubernetes service external ip + port for masquerade and filter purpose",
    "KUBE-EXTERNAL-IP-LOCAL": (
        "Kubernetes service external ip + port with externalTrafficPolicy=local"
    ),
    "KUBE-LOAD-BALANCER": "Kubernetes service lb portal",
    "KUBE-LOAD-BALANCER-FW": (
        "Kubernetes service load balancer ip + port for load balancer with sourceRange"
    ),
    "KUBE-LOAD-BALANCER-LOCAL": (
        "Kubernetes service load balancer ip + port with externalTrafficPolicy=local"
    ),
    "KUBE-LOAD-BALANCER-SOURCE-IP": (
        "Kubernetes service load balancer ip + port + source IP for packet filter purpose"
    ),
    "KUBE-LOAD-BALANCER-SOURCE-CIDR": (
        "Kubernetes service load balancer ip + port + source cidr for packet filter purpose"
    ),
    "KUBE-NODE-PORT-TCP": "Kubernetes nodeport TCP port for masquerade purpose",
    "KUBE-NODE-PORT-LOCAL-TCP": "Kubernetes nodeport TCP port with externalTrafficPolicy=local",
    "KUBE-NODE-PORT-UDP": "Kubernetes nodeport UDP port for masquerade purpose",
    "KUBE-NODE-PORT-LOCAL-UDP": "Kubernetes nodeport UDP port with externalTrafficPolicy=local",
    "KUBE-NODE-PORT-SCTP-HASH": (
        "Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'"
    ),
    "KUBE-NODE-PORT-LOCAL-SCTP-HASH": (
        "Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type 'hash ip:port'"
    ),
    "KUBE-HEALTH-CHECK-NODE-PORT": "Kubernetes health check node port",
}
_PORT, _IP_PORT, _IP_PORT_SOURCE = "dst", "dst,dst", "dst,dst,src"
_NAT_RULES = (
    ("KUBE-LOOP-BACK", "KUBE-POSTROUTING", "MASQUERADE", _IP_PORT_SOURCE, ""),
    ("KUBE-LOAD-BALANCER", "KUBE-SERVICES", "KUBE-LOAD-BALANCER", _IP_PORT, ""),
    ("KUBE-LOAD-BALANCER-LOCAL", "KUBE-LOAD-BALANCER", "RETURN", _IP_PORT, ""),
    ("KUBE-NODE-PORT-LOCAL-TCP", "KUBE-NODE-PORT", "RETURN", _PORT, "tcp"),
    ("KUBE-NODE-PORT-TCP", "KUBE-NODE-PORT", "KUBE-MARK-MASQ", _PORT, "tcp"),
    ("KUBE-NODE-PORT-LOCAL-UDP", "KUBE-NODE-PORT", "RETURN", _PORT, "udp"),
    ("KUBE-NODE-PORT-UDP", "KUBE-NODE-PORT", "KUBE-MARK-MASQ", _PORT, "udp"),
    ("KUBE-NODE-PORT-LOCAL-SCTP-HASH", "KUBE-NODE-PORT", "RETURN", _IP_PORT, "sctp"),
    ("KUBE-NODE-PORT-SCTP-HASH", "KUBE-NODE-PORT", "KUBE-MARK-MASQ", _IP_PORT, "sctp"),
)
_RANGES = "KUBE-SOURCE-RANGES-FIREWALL"
_FILTER_RULES = (
    ("KUBE-LOAD-BALANCER-FW", "KUBE-PROXY-FIREWALL", _RANGES, _IP_PORT, ""),
    ("KUBE-LOAD-BALANCER-SOURCE-CIDR", _RANGES, "RETURN", _IP_PORT_SOURCE, ""),
    ("KUBE-LOAD-BALANCER-SOURCE-IP", _RANGES, "RETURN", _IP_PORT_SOURCE, ""),
)
_JUMPS = {
    "nat": (
        ("OUTPUT", "kubernetes service portals", "KUBE-SERVICES"),
        ("PREROUTING", "kubernetes service portals", "KUBE-SERVICES"),
        ("POSTROUTING", "kubernetes postrouting rules", "KUBE-POSTROUTING"),
    ),
    "filter": (
        ("FORWARD", "kubernetes forwarding rules", "KUBE-FORWARD"),
        ("INPUT", "kubernetes health check rules", "KUBE-NODE-PORT"),
        ("INPUT", "kube-proxy firewall rules", "KUBE-PROXY-FIREWALL"),
        ("FORWARD", "kube-proxy firewall rules", "KUBE-PROXY-FIREWALL"),
        ("INPUT", "kubernetes ipvs access filter", "KUBE-IPVS-FILTER"),
        ("OUTPUT", "kubernetes ipvs access filter", "KUBE-IPVS-OUT-FILTER"),
    ),
}


def base_program() -> str:
    """Give the chains and the jumps to them from the built-in ones, to be loaded once."""
    return "".join(
        f"*{table}\n{_declarations(chains)}{_jumps(table)}COMMIT\n"
        for table, chains in (("nat", NAT_CHAINS), ("filter", FILTER_CHAINS))
    )


def program(filled: Collection[str], blocked: Iterable[BlockedAddress], node: Node) -> str:
    """Write the rules, for ``iptables-restore --noflush --counters``.

    ``filled`` names the sets that have entries; the node's own packets to what is ``blocked`` are
    dropped.
    """
    rules = _Rules(filled, node)
    nat = "".join(f"-A {rule}\n" for rule in rules.nat())
    filters = "".join(f"-A {rule}\n" for rule in rules.filters(blocked))
    return (
        f"*nat\n{_declarations(NAT_CHAINS)}{nat}COMMIT\n"
        f"*filter\n{_declarations(FILTER_CHAINS)}{filters}COMMIT\n"
    )


def _declarations(chains: Iterable[str]) -> str:
    return "".join(f":{chain} - [0:0]\n" for chain in chains)


def _jumps(table: str) -> str:
    return "".join(
        f'-I {chain} -m comment --comment "{comment}" -j {target}\n'
        for chain, comment, target in _JUMPS[table]
    )


class _Rules:
    """The rules for the sets that are filled, each without its command."""

    def __init__(self, filled: Collection[str], node: Node) -> None:
        self._filled = filled
        self._node = node

    def _match(self, name: str) -> str:
        return f"-m set --match-set {set_name(name, self._node.family)}"

    def _commented(self, name: str) -> str:
        return f'-m comment --comment "{COMMENTS[name]}" {self._match(name)}'

    def _where_filled(self, rules: Iterable[tuple[str, str, str, str, str]]) -> Iterator[str]:
        for name, chain, target, match, protocol in rules:
            if name in self._filled:
                start = f"{chain} -p {protocol}" if protocol else chain
                yield f"{start} {self._commented(name)} {match} -j {target}"

    def nat(self) -> Iterator[str]:
        """The nat table's."""
        yield f"KUBE-SERVICES -s {self._node.family.loopback} -j RETURN"
        yield from self._where_filled(_NAT_RULES)
        if "KUBE-CLUSTER-IP" in self._filled:
            yield f"KUBE-SERVICES {self._commented('KUBE-CLUSTER-IP')} {self._masqueraded()}"
        for name in ("KUBE-EXTERNAL-IP", "KUBE-EXTERNAL-IP-LOCAL"):
            if name in self._filled:
                yield from self._external(name)
        yield "KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT"
        yield "KUBE-LOAD-BALANCER -j KUBE-MARK-MASQ"
        for name in ("KUBE-CLUSTER-IP", "KUBE-LOAD-BALANCER"):
            if name in self._filled:
                yield f"KUBE-SERVICES {self._match(name)} dst,dst -j ACCEPT"
        yield f"KUBE-POSTROUTING -m mark ! --mark {MARK}/{MARK} -j RETURN"
        yield f"KUBE-POSTROUTING -j MARK --xor-mark {MARK}"
        yield (
            'KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" '
            "-j MASQUERADE --random-fully"
        )
        yield f"KUBE-MARK-MASQ -j MARK --or-mark {MARK}"

    def _masqueraded(self) -> str:
        if self._node.masquerade_all:
            return "dst,dst -j KUBE-MARK-MASQ"
        if self._node.pod_cidr:
            return f"dst,dst ! -s {self._node.pod_cidr} -j KUBE-MARK-MASQ"
        # The node's own connections take a virtual address as their source: the device has all.
        return "src,dst -j KUBE-MARK-MASQ"

    def _external(self, name: str) -> Iterator[str]:
        start = f"KUBE-SERVICES {self._commented(name)} dst,dst"
        if name == "KUBE-EXTERNAL-IP":
            yield f"{start} -j KUBE-MARK-MASQ"
        yield f"{start} -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j ACCEPT"
        yield f"{start} -m addrtype --dst-type LOCAL -j ACCEPT"

    def filters(self, blocked: Iterable[BlockedAddress]) -> Iterator[str]:
        """The filter table's; the node's own packets to what is ``blocked`` are dropped."""
        yield from self._where_filled(_FILTER_RULES)
        yield "KUBE-SOURCE-RANGES-FIREWALL -j DROP"
        for address, protocol, port in blocked:
            yield (
                f"KUBE-IPVS-OUT-FILTER -s {address} -m ipvs --vaddr {address} --vproto {protocol} "
                f"--vport {port} -j DROP"
            )
        yield (
            'KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" '
            f"-m mark --mark {MARK}/{MARK} -j ACCEPT"
        )
        yield (
            'KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" '
            "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
        )
        health = "KUBE-HEALTH-CHECK-NODE-PORT"
        yield f"KUBE-NODE-PORT {self._commented(health)} dst -j ACCEPT"
        for name in (
            "KUBE-LOAD-BALANCER",
            "KUBE-CLUSTER-IP",
            "KUBE-EXTERNAL-IP",
            "KUBE-EXTERNAL-IP-LOCAL",
        ):
            yield f"KUBE-IPVS-FILTER {self._match(name)} dst,dst -j RETURN"
        yield f"KUBE-IPVS-FILTER {self._match(health)} dst -j RETURN"
        bound = self._match("KUBE-IPVS-IPS")
        yield f"KUBE-IPVS-FILTER -m conntrack --ctstate NEW {bound} dst -j REJECT"
