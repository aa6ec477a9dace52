"""When connect gives up."""

from __future__ import annotations

import contextlib
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.network.quiet import open_quiet_device
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace

_OWN, _NOBODY = "192.0.2.1/24", "192.0.2.2"
_RETRIES = (3, 1)


def _retransmitted(client: NetworkNamespace) -> int:
    """How many segments ``client`` has sent again."""
    with client.entered():
        lines = Path("/proc/thread-self/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Tcp:"))
    return int(values[names.index("RetransSegs")])


def _given_up(lab: Lab, retries: int) -> str:
    with lab.network_namespace("client") as client, open_quiet_device(lab, client, _OWN):
        client.sysctl("net.ipv4.tcp_syn_retries", retries)
        with client.entered():
            connection = socket.socket()
        began = time.monotonic()
        with connection, contextlib.suppress(TimeoutError):
            connection.connect((_NOBODY, 80))
        took = time.monotonic() - began
        # Timers are never early, but up to a half of a second late together.
        return f"{retries}: {1 + _retransmitted(client)} SYNs, {int(took)} s"


def _probe(lab: Lab, retries: tuple[int, ...] = _RETRIES) -> str:
    with ThreadPoolExecutor() as at_once:  # they wait, each in a namespace of its own
        return "; ".join(at_once.map(partial(_given_up, lab), retries))


BEHAVIOUR = Behaviour(
    name="network.syn-retries",
    question="How many SYNs does a client send, and when does it give up, by tcp_syn_retries?",
    method="connects to who never answers, and counts what is sent again",
    matters="who lowers it to fail over sooner gets another deadline on another kernel",
    source="net/ipv4/tcp_timer.c: tcp_write_timeout; ip-sysctl.rst: tcp_syn_linear_timeouts",
    probe=_probe,
    controls=(partial(_probe, retries=(2,)),),
    modules=("veth",),
)
