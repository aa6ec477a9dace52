"""How many intervals fit into a set of a size."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.lab.host import Lab

_INTERVALS = ("10.0.0.10-10.0.0.19", "10.0.0.30-10.0.0.39", "10.0.0.50-10.0.0.59")


def _probe(lab: Lab, size: int = len(_INTERVALS)) -> str:
    with lab.network_namespace("node") as node:
        limit = f"size {size};" if size else ""
        node.run(["nft", "add table ip t"])
        node.run(["nft", f"add set ip t s {{ type ipv4_addr; flags interval; {limit} }}"])
        taken = sum(
            node.run(["nft", f"add element ip t s {{ {interval} }}"], check=False).returncode == 0
            for interval in _INTERVALS
        )
    return f"{taken} of {len(_INTERVALS)}"


BEHAVIOUR = Behaviour(
    name="filters.interval-set-size",
    question="How many intervals fit into an nftables set of size 3?",
    method="adds three intervals one by one to a set with flags interval and size 3",
    matters="a list of networks that fits on one kernel is refused on another",
    source="net/netfilter/nf_tables_api.c: nft_set_maxsize, which counts an interval's two ends",
    probe=_probe,
    controls=(partial(_probe, size=1), partial(_probe, size=0)),
    modules=("nf_tables",),
    tools=("nft",),
)
