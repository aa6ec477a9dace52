"""Which server round robin begins with."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.ipvs.virtual_server import SERVERS, open_virtual_server
from cnbench.lab.host import Lab


def _probe(lab: Lab, scheduler: str = "rr", backwards: bool = False) -> str:
    servers = SERVERS[::-1] if backwards else SERVERS
    order = []
    with open_virtual_server(lab, scheduler, servers) as virtual:
        seen = virtual.received()
        for _ in servers:
            virtual.send(1)
            now = virtual.received()
            order += [SERVERS.index(server) + 1 for server in now - seen]
            seen = now
    return ", ".join(map(str, order))


BEHAVIOUR = Behaviour(
    name="ipvs.first-server",
    question="In which order does round robin give flows to three servers?",
    method="adds servers 1, 2 and 3, and sends three flows, one by one",
    matters="a service with little traffic, or that is written anew often, favours one endpoint",
    source="net/netfilter/ipvs/ip_vs_rr.c: ip_vs_rr_schedule; ip_vs_ctl.c: list_add_rcu",
    probe=_probe,
    controls=(partial(_probe, backwards=True), partial(_probe, scheduler="wrr")),
    modules=("ip_vs", "ip_vs_rr", "ip_vs_wrr"),
    tools=("ipvsadm",),
)
