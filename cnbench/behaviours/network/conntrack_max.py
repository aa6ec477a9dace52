"""Whether a pod's limit of tracked connections is its own."""

from __future__ import annotations

import contextlib
import socket
from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.network.quiet import open_quiet_device
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace

_LIMIT = Path("/proc/sys/net/netfilter/nf_conntrack_max")
_COUNT = Path("/proc/sys/net/netfilter/nf_conntrack_count")
_FEW, _MANY = 10, 50


def _tracked(pod: NetworkNamespace) -> int:
    """How many flows of many the pod tracks."""
    pod.run(["nft", "add table ip t; add chain ip t c { type filter hook output priority 0; };"
             " add rule ip t c ct state new accept"])  # fmt: skip
    with pod.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for port in range(1000, 1000 + _MANY):
            # What conntrack has no room for is dropped, and the sender told.
            with contextlib.suppress(PermissionError):
                client.sendto(b"x", ("192.0.2.2", port))
        return int(_COUNT.read_text())


def _may_be_set(pod: NetworkNamespace) -> str:
    with pod.entered():
        try:
            _LIMIT.write_text(str(_MANY))
        except PermissionError:
            return "may not be set"
    return "may be set"


def _probe(lab: Lab, limit: int = _FEW) -> str:
    before = _LIMIT.read_text().strip()
    with lab.network_namespace("pod") as pod, open_quiet_device(lab, pod, "192.0.2.1/24"):
        try:
            _LIMIT.write_text(str(limit))
            tracked = _tracked(pod)
            return f"{_may_be_set(pod)}; {tracked} of {_MANY} flows with {limit} for the node"
        finally:
            _LIMIT.write_text(before)


BEHAVIOUR = Behaviour(
    name="network.conntrack-max",
    question="Has a pod a limit of tracked connections of its own, and does the node's hold there?",
    method=f"sets the node's nf_conntrack_max to {_FEW}, sends {_MANY} flows in a new "
    "namespace, and sets it there",
    matters="each pod may have as many connections as the node's limit says, unless it has its own",
    source="net/netfilter/nf_conntrack_standalone.c: nf_conntrack_standalone_init_sysctl; "
    "nf_conntrack_core.c: __nf_conntrack_alloc",
    probe=_probe,
    controls=(partial(_probe, limit=1000),),
    changes_machine=True,
    modules=("veth", "nf_conntrack", "nft_ct"),
    tools=("nft",),
)
