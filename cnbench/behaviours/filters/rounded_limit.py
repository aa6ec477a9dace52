"""What rate a limit really has."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour, absent
from cnbench.core.errors import CommandError
from cnbench.lab.host import Lab


def _probe(lab: Lab, limit: str = "6000/s") -> str:
    with lab.network_namespace("node") as node:
        argv = ["iptables-nft", "-A", "OUTPUT", "-m", "limit", "--limit", limit]
        try:
            node.run(argv)
        except CommandError:
            return absent("limit match")
        listed = node.run(["iptables-nft", "-S", "OUTPUT"]).stdout.split()
    return listed[listed.index("--limit") + 1]


BEHAVIOUR = Behaviour(
    name="filters.rounded-limit",
    question="At what rate does iptables' --limit 6000/s stand?",
    method="adds the rule, and lists it",
    matters="a limit meant to protect lets two thirds more through, as it is kept as a multiple of "
    "1/10000 s",
    source="net/netfilter/xt_limit.c: XT_LIMIT_SCALE; libxt_limit of the iptables package",
    probe=_probe,
    controls=(partial(_probe, limit="5000/s"),),
    modules=("nf_tables", "nft_compat", "xt_limit", "nft_limit"),
    tools=("iptables-nft",),
)
