"""What a file's objects do not come to on a node, for whoever would not expect it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnbench.proxy.family import Family, family_of
from cnbench.proxy.model import Service, TrafficPolicy
from cnbench.proxy.node import Node, node_ports
from cnbench.proxy.objects.fields import Fields, KubernetesObject
from cnbench.proxy.objects.service import cluster_ips

# Node names and zones in a note: who has more knows them.
_MOST_NAMES = 5


def notes_of(
    objects: Sequence[KubernetesObject], services: Sequence[Service], node: Node, mode: str
) -> Iterator[str]:
    """Say what ``services`` leave out of the ``objects`` they were made of, and for want of what.

    That is the other family, and endpoints, node ports and hints that nothing told of the node.
    """
    yield from _other_family(objects, node.family)
    slices = [each for each in objects if each.kind == "EndpointSlice"]
    endpoints = [each for found in slices for each in found.each("endpoints")]
    if not node.name and any(_has_local_policy(service) for service in services):
        names = _some({each.text("nodeName") for each in endpoints} - {""})
        yield f"no endpoint is taken for local: say which node this is with --node{names}"
    if _lacks_address(services, node, mode):
        yield f"node ports answer on no address in {mode} mode: say it with --node-address"
    if not node.zone and (zones := _hinted_zones(endpoints)):
        yield f"hints for zones are not heeded: say the node's with --zone{_some(zones)}"


def _other_family(objects: Sequence[KubernetesObject], family: Family) -> Iterator[str]:
    services = 0
    for each in objects:
        if each.kind == "Service" and each.spec.text("type") != "ExternalName":
            services += any(family_of(address) is not family for address in cluster_ips(each))
    slices = sum(
        each.text("addressType") == family.other.shown
        for each in objects
        if each.kind == "EndpointSlice"
    )
    if services or slices:
        yield (
            f"{family.other.shown} addresses of {services} services and {slices} slices are passed"
            f" over; --family {family.other} writes their program"
        )


def _has_local_policy(service: Service) -> bool:
    return TrafficPolicy.LOCAL in (service.internal_policy, service.external_policy)


def _lacks_address(services: Sequence[Service], node: Node, mode: str) -> bool:
    if not any(port.node_port for service in services for port in service.ports):
        return False
    found = node_ports(node)
    # By default iptables mode asks the kernel what is an address of the node, nftables mode where
    # it is told that every one is.
    by_kernel = mode.startswith("iptables") or (mode == "nftables" and node.node_port_addresses)
    return not found.but_loopback and not (found.everywhere and by_kernel)


def _hinted_zones(endpoints: Sequence[Fields]) -> set[str]:
    return {
        zone.text("name") for each in endpoints for zone in each.fields("hints").each("forZones")
    }


def _some(names: set[str]) -> str:
    if not names:
        return ""
    shown = sorted(names)[:_MOST_NAMES]
    return f" ({', '.join(shown)}{', ...' if len(names) > len(shown) else ''})"
