"""What the kernel lists of a program that it was given, line by line of a service port."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cnbench.experiments.service_routing.halves import Half
from cnbench.lab.netns import NetworkNamespace
from cnbench.proxy import Family, generate
from cnbench.proxy.iptables.loader import TOOLS
from cnbench.proxy.nftables.dialect import dialect_of


@dataclass(frozen=True)
class Listing:
    """How a mode's ways to services are counted: in its program, and in what the kernel has.

    Attributes:
        argv: what prints the kernel's.
        listed: what stands there for one.
        written: what stands in the program for one.
    """

    argv: Sequence[str]
    listed: str
    written: str


_JUMP = r"^-A KUBE-SERVICES .*-j KUBE-(?:SVC|SVL|EXT|FW)-"


def listing_of(mode: str, half: Half) -> Listing:
    """How the services of ``mode`` are counted in one family."""
    if mode == "nftables":
        family, table = dialect_of(half.node).table.split()
        argv = ["nft", "list", "map", family, table, "service-ips"]
        return Listing(
            argv, r"[\da-f.:]+ \. \w+ \. [\w-]+", rf"^add element {family} {table} service-ips "
        )
    if mode == "ipvs":
        six = half.family is Family.IPV6
        listed = r"^(?:TCP|UDP|SCTP) +\[" if six else r"^(?:TCP|UDP|SCTP) +\d"
        return Listing(["ipvsadm", "-L", "-n"], listed, r"^-A (?:-t|-u|--sctp-service) ")
    front_end = "nft" if mode == "iptables-nft" else "legacy"
    return Listing([f"{TOOLS[half.family]}-{front_end}-save", "-t", "nat"], _JUMP, _JUMP)


def written(mode: str, half: Half) -> int:
    """How many ways to services the program of ``mode`` has."""
    program = generate(mode, half.services, half.node)
    return len(re.findall(listing_of(mode, half).written, program, re.M))


def listed(mode: str, half: Half, node: NetworkNamespace) -> int:
    """How many the kernel lists."""
    listing = listing_of(mode, half)
    return len(re.findall(listing.listed, node.run(listing.argv).stdout, re.M))
