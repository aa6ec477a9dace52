"""The two IP families: kube-proxy runs a proxier for each, which passes over the other's."""

from __future__ import annotations

import socket
from enum import StrEnum


class Family(StrEnum):
    """An IP family, and what is written otherwise in its programs."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"

    @property
    def everywhere(self) -> str:
        """The range that holds every address."""
        return "0.0.0.0/0" if self is Family.IPV4 else "::/0"

    @property
    def loopback(self) -> str:
        """The range of a host's own loopback addresses."""
        return "127.0.0.0/8" if self is Family.IPV4 else "::1/128"

    @property
    def host_bits(self) -> int:
        """The bits of an address."""
        return 32 if self is Family.IPV4 else 128

    @property
    def number(self) -> int:
        """What the kernel calls it: AF_INET or AF_INET6, and netfilter's NFPROTO of both."""
        return socket.AF_INET if self is Family.IPV4 else socket.AF_INET6

    @property
    def shown(self) -> str:
        """As a person writes it."""
        return "IPv4" if self is Family.IPV4 else "IPv6"

    @property
    def other(self) -> Family:
        """The other one."""
        return Family.IPV6 if self is Family.IPV4 else Family.IPV4

    def packed(self, address: str) -> bytes:
        """Pack an address of this family as the kernel reads it.

        Raises:
            OSError: it is none of this family.
        """
        return socket.inet_pton(self.number, address)


def family_of(address: str) -> Family:
    """Tell the family of an address, or of a range, by how it is written."""
    return Family.IPV6 if ":" in address else Family.IPV4


def joined(address: str, port: int) -> str:
    """Write ``address:port``, with an IPv6 address in brackets (Go's net.JoinHostPort)."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
