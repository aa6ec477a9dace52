"""Options that say whose node it is: what kube-proxy knows by its own options and its node."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network
from typing import Any, TypeVar

import click

from cnbench.core.errors import UsageError
from cnbench.proxy.family import Family, family_of
from cnbench.proxy.node import Node, Release, parse_release

F = TypeVar("F", bound=Callable[..., Any])


def node_options(command: F) -> F:
    """Whose node it is; `node_of` makes a node of them."""
    for option in reversed(
        (
            click.option("--node", "name", default="", help="The node's name, as slices give it."),
            click.option(
                "--node-address",
                "addresses",
                multiple=True,
                metavar="ADDRESS,...",
                help="Its own addresses, the primary one first; of either family.",
            ),
            click.option("--zone", default="", help="Its label topology.kubernetes.io/zone."),
            click.option(
                "--pod-cidr",
                "pod_cidrs",
                multiple=True,
                metavar="RANGE,...",
                help="The pods' network, by which local traffic is told (--cluster-cidr).",
            ),
            click.option(
                "--service-cidr",
                "service_cidrs",
                multiple=True,
                metavar="RANGE,...",
                help="The services' network: nftables mode drops what belongs to none there.",
            ),
            click.option(
                "--node-port-addresses",
                "node_port_ranges",
                multiple=True,
                metavar="RANGE,...",
                help="Where node ports answer.  [default: everywhere; nftables mode: the primary"
                " address]",
            ),
            click.option("--masquerade-all", is_flag=True, help="As kube-proxy's option."),
            click.option(
                "--nfacct", is_flag=True, help="The kernel has nfacct: count dropped packets."
            ),
            click.option(
                "--release",
                default=str(Release()),
                show_default=True,
                metavar="1.N",
                help="Whose kube-proxy: hints for zones need an annotation up to 1.30, hints for"
                " nodes count from 1.34 on.",
            ),
        )
    ):
        command = option(command)
    return command


def node_of(
    family: Family,
    *,
    name: str,
    addresses: Iterable[str],
    zone: str,
    pod_cidrs: Iterable[str],
    service_cidrs: Iterable[str],
    node_port_ranges: Iterable[str],
    masquerade_all: bool,
    nfacct: bool,
    release: str,
) -> Node:
    """Make one family's half of the node that the options describe.

    Raises:
        UsageError: one of them is not what it should be; the message names it.
    """
    followed = parse_release(release)
    if nfacct and not followed.counts_drops:
        raise UsageError(
            f"--nfacct: kube-proxy {followed} counts nothing with it", "it does from 1.32 on"
        )
    own = [each for each in _addresses(addresses) if family_of(each) is family]
    return Node(
        pod_cidr=_one_range("--pod-cidr", pod_cidrs, family),
        address=own[0] if own else "",
        more_addresses=tuple(own[1:]),
        node_port_addresses=tuple(_ranges("--node-port-addresses", node_port_ranges)),
        service_cidr=_one_range("--service-cidr", service_cidrs, family),
        masquerade_all=masquerade_all,
        nfacct=nfacct,
        name=name,
        zone=zone,
        release=followed,
        family=family,
    )


def _split(given: Iterable[str]) -> Iterable[str]:
    return (text.strip() for texts in given for text in texts.split(",") if text.strip())


def _addresses(given: Iterable[str]) -> Iterable[str]:
    for text in _split(given):
        try:
            yield str(ip_address(text))
        except ValueError:
            raise UsageError(f"--node-address: '{text}' is not an IP address") from None


def _ranges(option: str, given: Iterable[str]) -> Iterable[str]:
    for text in _split(given):
        if "/" not in text:
            raise UsageError(f"{option}: '{text}' is not a range", "write it as 192.0.2.0/24")
        try:
            yield str(ip_network(text, strict=False))
        except ValueError:
            raise UsageError(f"{option}: '{text}' is not a range of IP addresses") from None


def _one_range(option: str, given: Iterable[str], family: Family) -> str:
    found = [text for text in _ranges(option, given) if family_of(text) is family]
    if len(found) > 1:
        raise UsageError(f"{option} names {len(found)} {family.shown} ranges", "name one of each")
    return found[0] if found else ""
