"""The node that is programmed, and what follows from it: where node ports answer, whose hints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network

from cnbench.core.errors import UsageError
from cnbench.proxy.family import Family, family_of

# The releases whose rules are followed here; what sets them apart is in `Release`.
FIRST_MINOR, LAST_MINOR = 30, 36
_RELEASE = re.compile(r"v?1\.(\d{1,3})(?:\.\d+)?")
_LOCALHOST = {Family.IPV4: "127.0.0.1", Family.IPV6: "::1"}


@dataclass(frozen=True, slots=True)
class Release:
    """A minor release of Kubernetes: which endpoints its kube-proxy takes for near ones."""

    minor: int = 35

    def __str__(self) -> str:
        return f"1.{self.minor}"

    @property
    def asks_for_annotation(self) -> bool:
        """Whether zone hints count for services with the annotation alone.

        The feature gate ServiceTrafficDistribution, which drops that, is on since 1.31.
        """
        return self.minor < 31

    @property
    def heeds_node_hints(self) -> bool:
        """Whether hints that name nodes count (PreferSameTrafficDistribution, on since 1.34)."""
        return self.minor >= 34

    @property
    def counts_drops(self) -> bool:
        """Whether dropped packets are counted with nfacct (since 1.32)."""
        return self.minor >= 32


def parse_release(text: str) -> Release:
    """Read a release of Kubernetes as a person writes it: ``1.34``, ``v1.34.2``.

    Raises:
        UsageError: it is none whose rules are followed here.
    """
    found = _RELEASE.fullmatch(text.strip())
    if not found or not FIRST_MINOR <= int(found[1]) <= LAST_MINOR:
        raise UsageError(
            f"kube-proxy of release {text!r} is not followed here",
            f"choose from 1.{FIRST_MINOR} to 1.{LAST_MINOR}",
        )
    return Release(int(found[1]))


@dataclass(frozen=True, slots=True)
class Node:
    """The node that is programmed, as kube-proxy's own options describe it.

    Attributes:
        pod_cidr: what tells local traffic (``--cluster-cidr``), empty where it is unknown.
        address: the node's primary address, empty where it is unknown.
        node_port_addresses: the ranges whose addresses of the node accept node ports. Empty is
            kube-proxy's default: everywhere, and in nftables mode the primary address.
        service_cidr: where nftables mode drops what belongs to no service; empty for nowhere.
        masquerade_all: masquerade whatever goes to a cluster IP.
        nfacct: the kernel has nfacct, with which kube-proxy from 1.32 on counts dropped packets.
        name: by which slices name the node of an endpoint; empty where it is unknown.
        zone: the node's label topology.kubernetes.io/zone, empty where it has none.
        more_addresses: those on its interfaces beside the primary one and loopback.
        release: whose kube-proxy this is.
        family: which of kube-proxy's two proxiers this is.
    """

    pod_cidr: str = "10.128.0.0/9"
    address: str = ""
    node_port_addresses: tuple[str, ...] = ()
    service_cidr: str = ""
    masquerade_all: bool = False
    nfacct: bool = False
    name: str = ""
    zone: str = ""
    more_addresses: tuple[str, ...] = ()
    release: Release = Release()
    family: Family = Family.IPV4

    @property
    def addresses(self) -> tuple[str, ...]:
        """The node's own addresses but loopback's, the primary one first."""
        return (self.address, *self.more_addresses) if self.address else self.more_addresses


@dataclass(frozen=True, slots=True)
class NodePorts:
    """Where a node accepts node ports.

    Attributes:
        everywhere: on every address of the node, whichever it has.
        addresses: on these of its known addresses; on loopback only where the ranges say so.
        localhost: connections to IPv4's loopback are to be let through, where a mode can do that.
    """

    everywhere: bool
    addresses: tuple[str, ...]
    localhost: bool

    @property
    def but_loopback(self) -> tuple[str, ...]:
        """The addresses without loopback's: nftables and IPVS mode have no node ports there."""
        return tuple(a for a in self.addresses if not ip_address(a).is_loopback)


@lru_cache(maxsize=64)
def node_ports(node: Node) -> NodePorts:
    """Work out where a node accepts node ports.

    Of the ranges those of the node's family count; none of it means everywhere
    (pkg/proxy/util/nodeport_addresses.go).
    """
    four = node.family is Family.IPV4
    ranges = [text for text in node.node_port_addresses if family_of(text) is node.family]
    if not ranges or any(ip_network(text, strict=False).prefixlen == 0 for text in ranges):
        return NodePorts(True, node.addresses, localhost=four)
    held = [a for a in (_LOCALHOST[node.family], *node.addresses) if includes(ranges, a)]
    return NodePorts(False, tuple(held), localhost=four and any(map(_holds_loopback, ranges)))


def _holds_loopback(text: str) -> bool:
    return ip_network(text, strict=False).overlaps(ip_network(Family.IPV4.loopback))


def includes(ranges: Iterable[str], address: str) -> bool:
    """Whether an address lies in one of some CIDR ranges; an unknown one, empty, in none."""
    if not address:
        return False
    wanted = ip_address(address)
    return any(wanted in ip_network(text, strict=False) for text in ranges)
