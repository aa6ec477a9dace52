"""What nft -j says of a timeout."""

from __future__ import annotations

import json
from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.lab.host import Lab


def _probe(lab: Lab, timeout: str = "500ms") -> str:
    with lab.network_namespace("node") as node:
        node.run(
            ["nft", f"add table ip t; add set ip t s {{ type ipv4_addr; timeout {timeout}; }}"]
        )
        objects = json.loads(node.run(["nft", "-j", "list", "set", "ip", "t", "s"]).stdout)
        plain = node.run(["nft", "list", "set", "ip", "t", "s"]).stdout
    found = next(part["set"] for part in objects["nftables"] if "set" in part)
    text = plain.split("timeout ")[1].split()[0] if "timeout " in plain else "none"
    return f"{found.get('timeout', 'none')} with -j, {text} without"


BEHAVIOUR = Behaviour(
    name="filters.json-timeout",
    question="What does nft -j say of a timeout of 500 ms?",
    method="makes a set with that timeout, and lists it with -j and without",
    matters="who reads and writes rules as JSON turns it into none at all (the tool's doing: the "
    "guests all have the same)",
    source="src/json.c of the nftables package: set_print_json divides by 1000",
    probe=_probe,
    controls=(partial(_probe, timeout="2s"),),
    modules=("nf_tables",),
    tools=("nft",),
)
