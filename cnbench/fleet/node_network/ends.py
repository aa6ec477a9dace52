"""What a node does at its end: tell of its interface, receive, or send.

Both ends have a new process for each session, and talk to each other by iperf3 alone, whose sockets
are bound to the interface and to its address.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from socket import AF_INET

from cnbench.core.errors import UnsupportedError
from cnbench.core.node import this_node
from cnbench.fleet.node_network.accounts import Account, NodeEnd, Order, Session, Tapped
from cnbench.fleet.node_network.sessions import Counting, receive_once, send_once
from cnbench.lab import commands
from cnbench.lab.host import open_lab
from cnbench.lab.netns import NetworkNamespace, current_netns
from cnbench.measuring import fingerprint
from cnbench.network.devices import links
from cnbench.probes.packets import dissect
from cnbench.probes.tap import Tap, open_tap

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def describe(interface: str) -> NodeEnd:
    """This node, whose traffic is to go by ``interface``.

    Raises:
        UnsupportedError: iperf3 is missing, or the interface, or its address.
    """
    commands.require("iperf3")
    allowed = os.sched_getaffinity(0)
    with current_netns(this_node()) as here, open_lab("host", "wall") as lab:
        return NodeEnd(
            here.name,
            interface,
            _address(here, interface),
            _BOOT_ID.read_text().strip(),
            # As pod-network's processes are placed.
            sends_on=max(allowed),
            receives_on=min(allowed),
            fingerprint=fingerprint.take(lab),
        )


def _address(here: NetworkNamespace, interface: str) -> str:
    if not links.exists(here, interface):
        raise UnsupportedError(
            f"{here.name} has no interface {interface}",
            f"name one that it has: {', '.join(links.names(here)) or 'it has none that is up'}",
        )
    with links.link(here, interface) as (route, index):
        found = [a.get_attr("IFA_LOCAL") for a in route.get_addr(family=AF_INET, index=index)]
    if not found:
        raise UnsupportedError(
            f"{interface} of {here.name} has no IPv4 address", "name an interface that has one"
        )
    return str(found[0])


def receive(order: Order) -> Account:
    """Be the server of ``order``, and of nothing else.

    Raises:
        CnbenchError: the client did not come, or a session came to a bad end.
    """
    end = order.server
    with current_netns(end.node) as here:
        counting = Counting(lambda: links.received(here, end.interface))
        return _account(order, here, end, lambda proof: receive_once(order, counting))


def send(order: Order) -> Account:
    """Be the client of ``order``.

    Raises:
        CnbenchError: the server does not listen, or a session came to a bad end.
    """
    end = order.client
    with current_netns(end.node) as here:
        counting = Counting(lambda: links.sent(here, end.interface))
        return _account(order, here, end, lambda proof: send_once(order, counting, proof=proof))


def _account(
    order: Order, here: NetworkNamespace, end: NodeEnd, session: Callable[[bool], Session]
) -> Account:
    sessions = [session(False) for _ in range(order.samples)]
    # After the samples, since a tap costs time.
    with open_tap(here, end.interface) as tap:
        proof = session(True)
        return Account(sessions, proof, _tapped(tap, order))


def _tapped(tap: Tap, order: Order) -> Tapped:
    wanted = (order.client.address, order.server.address)
    read = [dissect(frame.data) for frame in tap.frames()]
    ours = [
        packet
        for packet in read
        if packet and (packet.source, packet.destination) == wanted and packet.payload
    ]
    return Tapped(
        sorted({packet.encapsulation for packet in ours}),
        sum(packet.payload for packet in ours),
        sorted({packet.ttl for packet in ours}),
    )
