"""What iptables-nft-save says of a table that it cannot read."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.lab.host import Lab

_FOREIGN = "numgen inc mod 2 0 drop"
_PLAIN = "counter drop"


def _probe(lab: Lab, rule: str = _FOREIGN) -> str:
    with lab.network_namespace("node") as node:
        chain = "{ type filter hook forward priority 0; }"
        node.run(["nft", f"add table ip filter; add chain ip filter FORWARD {chain}"])
        node.run(["nft", f"add rule ip filter FORWARD {rule}"])
        done = node.run(["iptables-nft-save"], check=False)
    rules = sum(line.startswith("-A") for line in done.stdout.splitlines())
    return f"exit status {done.returncode}, {rules} of 1 rules"


BEHAVIOUR = Behaviour(
    name="filters.unreadable-table",
    question="What does iptables-nft-save do with a table that it cannot read?",
    method="has nft write a rule of table filter with a counter of its own, and saves",
    matters="a backup or a proxy's comparison takes it for an empty table (the tool's doing: the "
    "guests all have the same)",
    source="iptables/nft-save of the iptables package: nft_is_table_compatible",
    probe=_probe,
    controls=(partial(_probe, rule=_PLAIN),),
    modules=("nf_tables", "nft_counter", "nft_compat", "nft_numgen"),
    tools=("nft", "iptables-nft-save"),
)
