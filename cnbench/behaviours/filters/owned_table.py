"""What becomes of a table whose owner ends."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.filters.words import refuse_unknown_words
from cnbench.lab.host import Lab

_FLAGS = ("owner", "owner, persist")


def _fate(lab: Lab, flags: str) -> str:
    with lab.network_namespace("node") as node:
        made = f"add table ip t {{ flags {flags}; }}" if flags else "add table ip t"
        # nft is the owner, as it has the netlink socket, and ends.
        done = node.run(["nft", made], check=False)
        refuse_unknown_words(done)
        if done.returncode:
            return "refused"
        return "stays" if "table ip t" in node.run(["nft", "list", "tables"]).stdout else "goes"


def _probe(lab: Lab, kinds: tuple[str, ...] = _FLAGS) -> str:
    return "; ".join(f"{flags or 'no flag'}: {_fate(lab, flags)}" for flags in kinds)


BEHAVIOUR = Behaviour(
    name="filters.owned-table",
    question="Does an nftables table go with the program that owns it?",
    method="has nft make a table with flags owner, and owner and persist, and looks for it after",
    matters="rules are safe from flush ruleset where they can be owned; whether they outlive an "
    "agent's restart is another flag",
    source="net/netfilter/nf_tables_api.c: NFT_TABLE_F_OWNER, NFT_TABLE_F_PERSIST",
    probe=_probe,
    controls=(partial(_probe, kinds=("", "")),),
    modules=("nf_tables",),
    tools=("nft",),
)
