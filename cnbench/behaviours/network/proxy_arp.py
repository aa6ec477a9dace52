"""Which questions a proxy's ARP answer keeps waiting."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.network.quiet import DEVICE, open_quiet_device
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace, address, join

_ASKED = ("192.0.2.9", "192.0.2.10", "192.0.2.11")
_ARP = 0x0806
_BROADCAST = b"\xff" * 6
_AT_ONCE = 0.02
_PATIENCE = 3.0


def _question(own: bytes, to: bytes, target: str) -> bytes:
    """An ARP request of 192.0.2.1 for ``target`` (RFC 826)."""
    sender = own + socket.inet_aton("192.0.2.1")
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + sender + bytes(6) + socket.inet_aton(target)
    return to + own + struct.pack("!H", _ARP) + body


def _wait(asker: socket.socket, question: bytes, target: str) -> float:
    """Seconds until ``target`` is answered for."""
    began = time.monotonic()
    asker.send(question)
    while True:
        asker.settimeout(max(0.001, began + _PATIENCE - time.monotonic()))
        frame = asker.recv(128)
        if frame[20:22] == b"\0\x02" and frame[28:32] == socket.inet_aton(target):
            return time.monotonic() - began


def _longest(pod: NetworkNamespace, node_address: bytes, broadcast: bool) -> str:
    with pod.entered():
        asker = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ARP))
    with asker:
        asker.bind(("pod", 0))
        own = asker.getsockname()[4]
        to = _BROADCAST if broadcast else node_address
        try:
            longest = max(_wait(asker, _question(own, to, asked), asked) for asked in _ASKED)
        except TimeoutError:
            return "never"
    return "at once" if longest < _AT_ONCE else "after a random delay"


def _hardware_address(node: NetworkNamespace) -> bytes:
    with node.netlink() as route:
        text = route.link("get", ifname="node")[0].get_attr("IFLA_ADDRESS")
    return bytes.fromhex(text.replace(":", ""))


def _probe(lab: Lab, delay: int | None = None) -> str:
    with contextlib.ExitStack() as stack:
        node = stack.enter_context(lab.network_namespace("node"))
        pod = stack.enter_context(lab.network_namespace("pod"))
        join(node, "node", pod, "pod")
        address(node, "node", "198.51.100.1/24")
        node.run(["ip", "route", "add", "192.0.2.1/32", "dev", "node"])
        stack.enter_context(open_quiet_device(lab, node))
        node.run(f"ip route add 192.0.2.0/28 dev {DEVICE}".split())
        node.sysctl("net.ipv4.conf.all.forwarding", 1)
        node.sysctl("net.ipv4.conf.node.proxy_arp", 1)
        if delay is not None:
            node.sysctl("net.ipv4.neigh.node.proxy_delay", delay)
        to = _hardware_address(node)
        return f"broadcast: {_longest(pod, to, True)}, unicast: {_longest(pod, to, False)}"


BEHAVIOUR = Behaviour(
    name="network.proxy-arp",
    question="Which ARP questions does a proxy answer late, as long as nobody sets proxy_delay?",
    method="asks by broadcast and by unicast for three addresses that proxy_arp answers for",
    matters="CNIs that answer for a pod's gateway add up to 0.8 s to its first packet, unless they "
    "set proxy_delay to 0",
    source="net/ipv4/arp.c: arp_process; net/core/neighbour.c: pneigh_enqueue",
    probe=_probe,
    controls=(partial(_probe, delay=0),),
    modules=("veth",),
)
