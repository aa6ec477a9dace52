"""A pod behind its node: on a bridge as flannel has it, or by a route as Calico has it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace, address, join, route_via
from cnbench.network import links
from cnbench.network.underlay import open_quiet_namespace

# The pod's gateway in Calico's scheme: no device has it, the node answers ARP for it by proxy.
_NOBODYS_ADDRESS = "169.254.1.1"
_CALI_MAC = "ee:ee:ee:ee:ee:ee"
# RTN_BLACKHOLE: a packet for a pod that is not there must not leave by the default route.
_BLACKHOLE = "blackhole"


@contextlib.contextmanager
def open_pod(
    lab: Lab, node: NetworkNamespace, attachment: str, network: str, mtu: int
) -> Iterator[tuple[NetworkNamespace, str]]:
    """A pod with the second address of ``network`` (``10.32.0.0/24``), and that address.

    ``attachment`` is ``bridge`` (cni0) or ``routed`` (cali veth and proxy ARP); ``mtu`` in bytes.
    """
    prefix = network.rpartition(".")[0]
    pod_address = f"{prefix}.2"
    with open_quiet_namespace(lab, f"pod of {node.name}") as pod:
        node.sysctl("net.ipv4.ip_forward", 1)
        if attachment == "bridge":
            _on_bridge(pod, node, prefix, pod_address, mtu)
        else:
            _by_route(pod, node, network, pod_address, mtu)
        yield pod, pod_address


def _on_bridge(
    pod: NetworkNamespace, node: NetworkNamespace, prefix: str, pod_address: str, mtu: int
) -> None:
    links.make(node, "cni0", "bridge")
    join(pod, "eth0", node, "veth0")
    links.enslave(node, "veth0", "cni0")
    for namespace, name in ((pod, "eth0"), (node, "veth0"), (node, "cni0")):
        links.set_link(namespace, name, mtu=mtu)
    address(node, "cni0", f"{prefix}.1/24")
    address(pod, "eth0", f"{pod_address}/24")
    route_via(pod, "default", f"{prefix}.1")


def _by_route(
    pod: NetworkNamespace, node: NetworkNamespace, network: str, pod_address: str, mtu: int
) -> None:
    join(pod, "eth0", node, "cali0")
    links.set_link(node, "cali0", mtu=mtu, address=_CALI_MAC)
    links.set_link(pod, "eth0", mtu=mtu)
    node.sysctl("net.ipv4.conf.cali0.proxy_arp", 1)
    # Otherwise the kernel answers for another's address only after a random delay of up to 0.8 s.
    node.sysctl("net.ipv4.neigh.cali0.proxy_delay", 0)
    address(pod, "eth0", f"{pod_address}/32")
    with links.link(pod, "eth0") as (route, index):
        route.route("add", dst=f"{_NOBODYS_ADDRESS}/32", oif=index, scope="link")
        route.route("add", dst="0.0.0.0/0", gateway=_NOBODYS_ADDRESS, oif=index)
    with links.link(node, "cali0") as (route, index):
        route.route("add", dst=f"{pod_address}/32", oif=index, scope="link")
        route.route("add", dst=network, type=_BLACKHOLE)
