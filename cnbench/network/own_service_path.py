"""A pod on its node's bridge: the way of a pod to a service that it is itself the backend of.

    pod ---- port of the bridge ---- node

A packet to the service leaves by the port and, once its destination has been translated, must come
back by the same. Where bridged packets pass iptables (bridge-nf-call-iptables, which Kubernetes
asks for), that happens while it is still on the bridge, and a bridge returns no packet by the port
it came from unless the port is in hairpin mode. Where they do not, the node routes it back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace, address, join, route_via
from cnbench.network.devices import links
from cnbench.network.neighbours import acquaint

POD = "10.128.0.2"
NODE = "10.128.0.1"
_BRIDGE, _PORT = "cbr0", "vethpod"
# How the port and the bridge are set: its hairpin mode, and whether bridged packets pass iptables.
BRIDGES = {"hairpin": ("on", 1), "plain": ("off", 1), "routed": ("off", 0)}


@dataclass(frozen=True)
class OwnServicePath:
    """The pod and the node."""

    pod: NetworkNamespace
    node: NetworkNamespace


@contextlib.contextmanager
def open_own_service_path(lab: Lab, bridge: str) -> Iterator[OwnServicePath]:
    """A path without any rules; ``bridge`` is one of ``BRIDGES``.

    Raises:
        UnsupportedError: the kernel cannot have bridged packets pass iptables.
    """
    hairpin, filtered = BRIDGES[bridge]
    with lab.network_namespace("pod") as pod, lab.network_namespace("node") as node:
        links.make(node, _BRIDGE, "bridge")
        join(pod, "eth0", node, _PORT)
        links.enslave(node, _PORT, _BRIDGE)
        node.run(["ip", "link", "set", _PORT, "type", "bridge_slave", "hairpin", hairpin])
        _filter_bridged(node, filtered)
        address(node, _BRIDGE, f"{NODE}/24")
        address(pod, "eth0", f"{POD}/24")
        acquaint(pod, "eth0", node, _BRIDGE)
        route_via(pod, "default", NODE)
        node.sysctl("net.ipv4.ip_forward", 1)
        yield OwnServicePath(pod, node)


def hairpin_mode(node: NetworkNamespace) -> str:
    """What the port's hairpin mode is, as ``ip -d link`` prints it: ``on`` or ``off``."""
    words = node.run(["ip", "-d", "link", "show", _PORT]).stdout.split()
    return words[words.index("hairpin") + 1]


def _filter_bridged(node: NetworkNamespace, filtered: int) -> None:
    try:
        node.sysctl("net.bridge.bridge-nf-call-iptables", filtered)
    except CnbenchError as error:
        if filtered:
            raise UnsupportedError(
                "bridged packets do not pass iptables on this kernel",
                "load the module br_netfilter, or give bridge=routed",
            ) from error
