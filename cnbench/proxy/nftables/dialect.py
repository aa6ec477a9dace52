"""What nftables' program says otherwise for IPv6 than for IPv4."""

from __future__ import annotations

from dataclasses import dataclass

from cnbench.proxy.family import Family
from cnbench.proxy.model import Endpoint
from cnbench.proxy.node import Node

TABLE_NAME = "kube-proxy"


@dataclass(frozen=True, slots=True)
class Dialect:
    """A family's words.

    Attributes:
        ip: the header's name, and the family of the table.
        table: the table, as commands name it.
        address_type: of a set's keys.
        localhost: addresses on which no node port answers.
    """

    ip: str
    table: str
    address_type: str
    localhost: str


_DIALECTS = {
    Family.IPV4: Dialect("ip", f"ip {TABLE_NAME}", "ipv4_addr", "127.0.0.0/8"),
    Family.IPV6: Dialect("ip6", f"ip6 {TABLE_NAME}", "ipv6_addr", "::1"),
}


def dialect_of(node: Node) -> Dialect:
    """Give the words of a node's family."""
    return _DIALECTS[node.family]


def in_a_name(endpoint: Endpoint) -> str:
    """Write an endpoint as it stands in a chain's name, which may have no colon."""
    return f"{endpoint.address.replace(':', '.')}/{endpoint.port}"
