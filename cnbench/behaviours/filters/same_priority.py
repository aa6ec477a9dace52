"""In which order base chains of one priority are run."""

from __future__ import annotations

import contextlib
import socket
from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace

_MARK = "{ type filter hook output priority %d; }"


def _verdict(node: NetworkNamespace) -> str:
    """Which of two chains, each of which counts a packet and stops it, saw it."""
    with (
        node.entered(),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
        contextlib.suppress(PermissionError),
    ):
        client.sendto(b"x", ("127.0.0.1", 9))
    counted = node.run(["nft", "list ruleset"]).stdout
    first = counted.split("table ip older")[1].split("packets ")[1].split()[0]
    return "the older" if first == "1" else "the newer"


def _probe(lab: Lab, priorities: tuple[int, int] = (0, 0)) -> str:
    with lab.network_namespace("node") as node:
        for name, priority in zip(("older", "newer"), priorities, strict=True):
            chain = _MARK % priority
            node.run(["nft", f"add table ip {name}; add chain ip {name} c {chain}"])
            node.run(["nft", f"add rule ip {name} c udp dport 9 counter drop"])
        return f"{_verdict(node)} first"


BEHAVIOUR = Behaviour(
    name="filters.same-priority",
    question="Which of two base chains of one priority runs first?",
    method="makes two that drop and count, one after the other, and sends one packet",
    matters="which of two agents' rules decides depends on who was restarted last",
    source="net/netfilter/core.c: nf_hook_entries_grow",
    probe=_probe,
    controls=(partial(_probe, priorities=(0, 1)), partial(_probe, priorities=(1, 0))),
    modules=("nf_tables", "nft_counter"),
    tools=("nft",),
)
