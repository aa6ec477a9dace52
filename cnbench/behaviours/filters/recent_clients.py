"""How many clients iptables' session affinity remembers."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour
from cnbench.lab.host import Lab
from cnbench.lab.netns import local_route

_CLIENTS = 150


def _probe(lab: Lab, clients: int = _CLIENTS) -> str:
    with lab.network_namespace("node") as node:
        local_route(node, "10.9.0.0/24")
        rule = "-A OUTPUT -p udp -m recent --name probe --set --rsource -j ACCEPT"
        node.run(["iptables-nft", *rule.split()])
        with node.entered():
            for number in range(1, clients + 1):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                    client.bind((f"10.9.0.{number}", 0))
                    client.sendto(b"x", ("127.0.0.1", 9))
            remembered = Path("/proc/thread-self/net/xt_recent/probe").read_text()
    return f"{len(remembered.splitlines())} of {clients}"


BEHAVIOUR = Behaviour(
    name="filters.recent-clients",
    question="How many clients does one list of iptables' recent match remember?",
    method=f"sends from {_CLIENTS} addresses through a rule with --set, and counts the list",
    matters="kube-proxy's session affinity has one such list an endpoint: the oldest client is "
    "forgotten, and sent elsewhere",
    source="net/netfilter/xt_recent.c: ip_list_tot; recent_entry_init",
    probe=_probe,
    controls=(partial(_probe, clients=50),),
    modules=("nf_tables", "nft_compat", "xt_recent", "xt_udp", "xt_tcpudp"),
    tools=("iptables-nft",),
)
