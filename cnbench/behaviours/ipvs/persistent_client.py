"""Whether a remembered client still reaches a server of weight 0."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.ipvs.virtual_server import open_virtual_server
from cnbench.lab.host import Lab

_FLOWS = 4


def _probe(lab: Lab, quiescent: int = 0, options: tuple[str, ...] = ("-p", "300")) -> str:
    with open_virtual_server(lab, options=options) as virtual:
        virtual.node.sysctl("net.ipv4.vs.expire_quiescent_template", quiescent)
        virtual.send(1)
        (server,) = virtual.received()
        virtual.edit(server, 0)
        virtual.send(_FLOWS)
        there = virtual.received()[server] - 1
    return f"{there} of {_FLOWS} new flows"


BEHAVIOUR = Behaviour(
    name="ipvs.persistent-client",
    question="How many new flows of a remembered client does a server of weight 0 still get?",
    method="with persistence, begins a flow, gives its server weight 0, and begins four more",
    matters="with session affinity a server that ends is never drained, unless "
    "expire_quiescent_template is set",
    source="net/netfilter/ipvs/ip_vs_conn.c: ip_vs_check_template",
    probe=_probe,
    controls=(partial(_probe, quiescent=1), partial(_probe, options=())),
    modules=("ip_vs", "ip_vs_rr"),
    tools=("ipvsadm",),
)
