"""How large the connection table is, and whether it grows."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.ipvs.virtual_server import VirtualServer, open_virtual_server
from cnbench.core.errors import UnsupportedError
from cnbench.lab import commands
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until

_FLOWS = 1000
_BITS = 14
_PATIENCE = 30.0


def _size(virtual: VirtualServer) -> str:
    with virtual.node.entered():
        text = Path("/proc/thread-self/net/ip_vs").read_text()
    found = re.search(r"size=(\d+)", text)
    return found[1] if found else "untold"


def _load(bits: int) -> None:
    """Load ip_vs anew, once the namespaces that used it are gone."""
    wait_until(_is_removed, "ip_vs is in use", within=_PATIENCE, every=0.1)
    loaded = commands.run(["modprobe", "ip_vs", f"conn_tab_bits={bits}"], check=False)
    if loaded.returncode:
        raise UnsupportedError(f"IPVS cannot be loaded: {loaded.stderr.strip()}", "another kernel")


def _is_removed() -> bool:
    for module in ("ip_vs_wrr", "ip_vs_rr", "ip_vs"):
        commands.run(["modprobe", "--remove", module], check=False)
    return not Path("/sys/module/ip_vs").exists()


def _probe(lab: Lab, flows: int = _FLOWS, bits: int = _BITS) -> str:
    _load(bits)
    with open_virtual_server(lab) as virtual:
        before = _size(virtual)
        virtual.send(flows)
        known = len(virtual.connections())
        return f"{before} rows, {_size(virtual)} with {known} connections"


BEHAVIOUR = Behaviour(
    name="ipvs.connection-table",
    question="How large is IPVS' table of connections, and does it grow with them?",
    method=f"loads ip_vs with conn_tab_bits={_BITS}, and begins {_FLOWS} flows",
    matters="a node tuned by the module's option has chains again where that is passed over; "
    "one that is not tuned no longer does where the table grows",
    source="net/netfilter/ipvs/ip_vs_conn.c: ip_vs_conn_tab_bits",
    probe=_probe,
    controls=(partial(_probe, bits=12), partial(_probe, flows=100)),
    changes_machine=True,
    tools=("ipvsadm",),
)
