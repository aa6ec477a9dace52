"""Whether iptables-legacy still works."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour, absent, listed
from cnbench.lab.host import Lab

_TABLES = ("filter", "nat", "mangle", "raw")


def _probe(lab: Lab, tables: tuple[str, ...] = _TABLES) -> str:
    with lab.network_namespace("node") as node:
        found = [
            table
            for table in tables
            if node.run(["iptables-legacy", "-t", table, "-S"], check=False).returncode == 0
        ]
    return listed(found) if found else absent("legacy table")


BEHAVIOUR = Behaviour(
    name="filters.legacy-tables",
    question="Which tables does iptables-legacy find?",
    method=f"lists {', '.join(_TABLES)} in a new network namespace",
    matters="an image that carries its own iptables-legacy cannot program a kernel without them",
    source="net/ipv4/netfilter/ip_tables.c; CONFIG_NETFILTER_XTABLES_LEGACY",
    probe=_probe,
    controls=(partial(_probe, tables=("filter",)),),
    modules=("iptable_filter", "iptable_nat", "iptable_mangle", "iptable_raw"),
    tools=("iptables-legacy",),
)
