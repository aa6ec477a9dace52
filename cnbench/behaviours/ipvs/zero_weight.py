"""What a weight of 0 does to the flows that there are, and to new ones."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.ipvs.virtual_server import SERVERS, open_virtual_server
from cnbench.lab.host import Lab

_FLOWS = 3
_FIRST = 20000


def _probe(lab: Lab, weight: int = 0, quiescent: int = 0) -> str:
    with open_virtual_server(lab, servers=SERVERS[:1]) as virtual:
        virtual.node.sysctl("net.ipv4.vs.expire_quiescent_template", quiescent)
        virtual.send(_FLOWS, _FIRST)
        virtual.edit(SERVERS[0], weight)
        virtual.send(_FLOWS, _FIRST)
        kept = sum(virtual.received().values())
        virtual.send(_FLOWS, _FIRST + 100)
        new = sum(virtual.received().values()) - kept
    return f"of {_FLOWS} old flows {kept} go on, of {_FLOWS} new ones {new} begin"


BEHAVIOUR = Behaviour(
    name="ipvs.zero-weight",
    question="What does a weight of 0 do to old flows, and to new ones?",
    method="begins three flows, gives their server weight 0, sends them again and three others",
    matters="an endpoint that ends is drained by it: old connections must go on, and new ones not "
    "come",
    source="net/netfilter/ipvs/ip_vs_core.c: ip_vs_in_hook; ip_vs_rr.c",
    probe=_probe,
    controls=(partial(_probe, weight=1),),
    modules=("ip_vs", "ip_vs_rr"),
    tools=("ipvsadm",),
)
