"""Who is reached at which hardware address, without a doubt.

What the kernel has found out by ARP it believes for a random time of 15 to 45 s, then doubts for
5 s until it asks anew (net/core/neighbour.c: neigh_rand_reach_time, DELAY_PROBE_TIME). While in
doubt it resolves the address of every packet instead of taking the header it has at hand, some 30
instructions more for each: that alone set two runs of one path 0.2 % apart.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6
from typing import Any

from cnbench.lab.netns import NetworkNamespace
from cnbench.network.devices.links import link, names

_A_DAY_IN_MS = 86_400_000


def acquaint(one: NetworkNamespace, device: str, other: NetworkNamespace, peer: str) -> None:
    """Have two devices on one layer 2 know the addresses of each other for good.

    Both have all their addresses by now.
    """
    with link(one, device) as (here, here_index), link(other, peer) as (there, there_index):
        _introduce(here, here_index, there, there_index)
        _introduce(there, there_index, here, here_index)


def trust_arp(namespace: NetworkNamespace) -> None:
    """Have all devices of ``namespace`` ask at once where they doubt, and believe the answer.

    For where more than two share a layer 2, or somebody answers for others.
    """
    for device in names(namespace):
        settings = f"net.ipv4.neigh.{device.replace('.', '/')}"
        namespace.sysctl(f"{settings}.delay_first_probe_time", 0)
        namespace.sysctl(f"{settings}.base_reachable_time_ms", _A_DAY_IN_MS)


def _introduce(route: Any, index: int, guest: Any, guest_index: int) -> None:
    """Tell the device ``index`` of ``route`` of all addresses that the other has."""
    mac = guest.get_links(guest_index)[0].get_attr("IFLA_ADDRESS")
    for family in (AF_INET, AF_INET6):
        for found in guest.get_addr(family=family, index=guest_index):
            address = found.get_attr("IFA_ADDRESS")
            route.neigh("replace", dst=address, lladdr=mac, ifindex=index, state="permanent")
