"""Whether something may be removed that is not there."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.filters.words import refuse_unknown_words
from cnbench.lab.host import Lab


def _probe(lab: Lab, verb: str = "destroy", there: bool = False) -> str:
    with lab.network_namespace("node") as node:
        if there:
            node.run(["nft", "add table ip t"])
        done = node.run(["nft", f"{verb} table ip t"], check=False)
        refuse_unknown_words(done)
    return "fine" if done.returncode == 0 else f"refused: {_reason(done.stderr)}"


def _reason(stderr: str) -> str:
    """What nft says of it, up to the first line's end."""
    return stderr.splitlines()[0].rpartition(": ")[2] if stderr.strip() else "without a word"


BEHAVIOUR = Behaviour(
    name="filters.destroy-missing",
    question="May nft destroy a table that is not there?",
    method="runs nft destroy table in an empty network namespace",
    matters="proxies clear what may be there by it, else they must add first and then delete",
    source="net/netfilter/nf_tables_api.c: NFT_MSG_DESTROYTABLE; nft(8)",
    probe=_probe,
    controls=(partial(_probe, verb="delete"), partial(_probe, verb="delete", there=True)),
    modules=("nf_tables",),
    tools=("nft",),
)
