"""The addresses of a service path, in each IP family."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network


@dataclass(frozen=True)
class PathAddresses:
    """Addresses of one family, out of a network whose beginning is free of pods.

    Attributes:
        network: what the node takes for the network of pods.
        link_bits: the prefix of both links.
    """

    network: str
    link_bits: int

    def _host(self, number: int) -> str:
        return str(ip_network(self.network)[number])

    @property
    def six(self) -> bool:
        """Whether these are IPv6 addresses."""
        return ":" in self.network

    @property
    def clients(self) -> list[str]:
        """The client's sources."""
        return [self._host(host) for host in range(2, 10)]

    @property
    def client_gateway(self) -> str:
        """The node's address towards the client, which is its primary one."""
        return self._host(1)

    @property
    def backend_gateway(self) -> str:
        """The node's address towards the backend."""
        return self._host(17)

    @property
    def backend(self) -> str:
        """The backend's own address."""
        return self._host(18)


# Beginnings of the made-up clusters' pod networks.
IPV4 = PathAddresses("10.128.0.0/9", 28)
IPV6 = PathAddresses("fd00:10:128::/48", 124)
# For a cluster of the user's own, whose addresses may be any: the networks that are set apart for
# benchmarks (RFC 2544 and RFC 5180), which no cluster should use.
APART_IPV4 = PathAddresses("198.18.0.0/24", 28)
APART_IPV6 = PathAddresses("2001:2::/64", 124)
