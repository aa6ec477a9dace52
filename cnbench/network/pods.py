"""A pod behind its node: on a bridge (flannel), by a route (Calico), or on the underlay itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace, address, join, route_via
from cnbench.network.devices import links
from cnbench.network.underlay import DEVICE, Port, open_quiet_namespace

# The pod's gateway in Calico's scheme: no device has it, the node answers ARP for it by proxy.
_NOBODYS_ADDRESS = "169.254.1.1"
_CALI_MAC = "ee:ee:ee:ee:ee:ee"
# RTN_BLACKHOLE: a packet for a pod that is not there must not leave by the default route.
_BLACKHOLE = "blackhole"


# What each kind of device on the underlay is asked for; IPVLAN_MODE_L2 of linux/if_link.h is 0.
_UNDERLAY_KINDS: dict[str, dict[str, object]] = {
    "macvlan": {"macvlan_mode": "bridge"},
    "ipvlan": {"ipvlan_mode": 0},
}


@contextlib.contextmanager
def open_pod(
    lab: Lab, port: Port, attachment: str, network: str, mtu: int
) -> Iterator[tuple[NetworkNamespace, str]]:
    """A pod behind the node at ``port``, and its address.

    Args:
        lab: where it is made.
        port: its node's end of the underlay.
        attachment: ``bridge`` (cni0), ``routed`` (cali veth and proxy ARP), or ``macvlan`` and
            ``ipvlan`` on the underlay itself; ``none`` gives the node.
        network: where its address is (``10.32.0.0/24``), unless it is on the underlay.
        mtu: of its devices, in bytes.
    """
    node = port.namespace
    if attachment == "none":
        yield node, port.address
        return
    pod_address = f"{network.rpartition('.')[0]}.2"
    with open_quiet_namespace(lab, f"pod of {node.name}") as pod:
        # A new namespace takes it from the initial one (net/ipv4/devinet.c: devinet_init_net),
        # which forwards on every machine that runs containers; a pod does not.
        pod.sysctl("net.ipv4.ip_forward", 0)
        if attachment in _UNDERLAY_KINDS:
            on_underlay(pod, node, attachment)
            links.set_link(pod, "eth0", mtu=mtu)
            underlay, _, host = port.address.rpartition(".")
            pod_address = f"{underlay}.1{host}"
            address(pod, "eth0", f"{pod_address}/24")
            route_via(pod, "default", f"{underlay}.1")
        else:
            node.sysctl("net.ipv4.ip_forward", 1)
            attach = _on_bridge if attachment == "bridge" else _by_route
            attach(pod, node, network, pod_address, mtu)
        yield pod, pod_address


def on_underlay(pod: NetworkNamespace, node: NetworkNamespace, kind: str) -> None:
    """Give ``pod`` a device of ``kind`` on the node's underlay device.

    Raises:
        UnsupportedError: the kernel has no such kind of device.
    """
    with links.link(node, DEVICE) as (route, index):
        route.link("set", index=index, state="up")
    # Made under another name, since the node's own eth0 is still beside it.
    links.make(node, "pod0", kind, link=index, **_UNDERLAY_KINDS[kind])
    links.set_link(node, "pod0", net_ns_fd=pod.descriptor)
    links.set_link(pod, "pod0", ifname="eth0")
    links.set_link(pod, "eth0", state="up")


def _on_bridge(
    pod: NetworkNamespace, node: NetworkNamespace, network: str, pod_address: str, mtu: int
) -> None:
    prefix = network.rpartition(".")[0]
    # Chance decides which addresses share a chain of the bridge's table, and so what a packet costs
    # (0.7 % apart in twelve set-ups, counted in a guest). Taking its address from a port, or VLAN 1
    # that nothing here uses, the bridge would make that table small and full; so it is 0.3 %.
    links.make(node, "cni0", "bridge", address=_cni_mac(f"{prefix}.1"), br_vlan_default_pvid=0)
    plug_in(pod, node, "veth0", "cni0", mtu)
    links.set_link(node, "cni0", mtu=mtu)
    address(node, "cni0", f"{prefix}.1/24")
    address(pod, "eth0", f"{pod_address}/24")
    route_via(pod, "default", f"{prefix}.1")


def plug_in(pod: NetworkNamespace, node: NetworkNamespace, end: str, bridge: str, mtu: int) -> None:
    """Give ``pod`` an eth0 whose other ``end`` is a port of the node's ``bridge``."""
    join(pod, "eth0", node, end)
    links.enslave(node, end, bridge)
    for namespace, name in ((pod, "eth0"), (node, end)):
        links.set_link(namespace, name, mtu=mtu)


def _cni_mac(ip: str) -> str:
    """The hardware address of a bridge with the address ``ip``, as CNI's plug-ins make them up.

    0a:58 and the four bytes (hwaddr.go of containernetworking/plugins).
    """
    return ":".join(f"{byte:02x}" for byte in (0x0A, 0x58, *map(int, ip.split("."))))


def _by_route(
    pod: NetworkNamespace, node: NetworkNamespace, network: str, pod_address: str, mtu: int
) -> None:
    route_to(pod, node, "cali0", pod_address, mtu)
    with links.link(node, "cali0") as (route, _):
        route.route("add", dst=network, type=_BLACKHOLE)


def route_to(
    pod: NetworkNamespace, node: NetworkNamespace, end: str, pod_address: str, mtu: int
) -> None:
    """Give ``pod`` an eth0 with that address, and the node a route to it by the other ``end``."""
    join(pod, "eth0", node, end)
    links.set_link(node, end, mtu=mtu, address=_CALI_MAC)
    links.set_link(pod, "eth0", mtu=mtu)
    node.sysctl(f"net.ipv4.conf.{end}.proxy_arp", 1)
    # Otherwise the kernel answers for another's address only after a random delay of up to 0.8 s.
    node.sysctl(f"net.ipv4.neigh.{end}.proxy_delay", 0)
    address(pod, "eth0", f"{pod_address}/32")
    with links.link(pod, "eth0") as (route, index):
        route.route("add", dst=f"{_NOBODYS_ADDRESS}/32", oif=index, scope="link")
        route.route("add", dst="0.0.0.0/0", gateway=_NOBODYS_ADDRESS, oif=index)
    with links.link(node, end) as (route, index):
        route.route("add", dst=f"{pod_address}/32", oif=index, scope="link")
