"""How large a packet may be before it is cut."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.filters.words import refuse_unknown_words
from cnbench.lab.host import Lab

_SIZE = 131072
_KINDS = {"IPv6": "gso_max_size", "IPv4": "gso_ipv4_max_size"}


def _probe(lab: Lab, size: int = _SIZE) -> str:
    said = []
    with lab.network_namespace("pod") as pod:
        pod.run(["ip", "link", "add", "one", "type", "veth", "peer", "name", "two"])
        for family, option in _KINDS.items():
            done = pod.run(["ip", "link", "set", "one", option, str(size)], check=False)
            refuse_unknown_words(done)
            if done.returncode:
                said.append(f"{family}: refused")
                continue
            shown = pod.run(["ip", "-details", "link", "show", "one"]).stdout.split()
            there = option in shown and shown[shown.index(option) + 1] == str(size)
            said.append(f"{family}: {size if there else 'not kept'}")
    return ", ".join(said)


BEHAVIOUR = Behaviour(
    name="network.big-tcp",
    question="May packets inside a node be of 128 KiB?",
    method="gives a veth device gso_max_size and gso_ipv4_max_size of 131072, and reads them back",
    matters="BIG TCP, which CNIs offer for throughput, needs it of the node's kernel",
    source="net/core/rtnetlink.c: IFLA_GSO_MAX_SIZE, IFLA_GSO_IPV4_MAX_SIZE",
    probe=_probe,
    controls=(partial(_probe, size=32768), partial(_probe, size=1 << 30)),
    modules=("veth",),
)
