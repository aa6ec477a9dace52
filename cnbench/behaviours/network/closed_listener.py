"""What becomes of connections that wait for a listener which closes."""

from __future__ import annotations

import contextlib
import socket
from functools import partial

from cnbench.behaviours.behaviour import Behaviour, absent
from cnbench.core.errors import CnbenchError
from cnbench.lab.host import Lab

_PATIENCE = 2.0
_CLIENTS = 16


def _listener() -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", 8080))
    listener.listen(_CLIENTS)
    listener.settimeout(_PATIENCE)
    return listener


def _accepted(listener: socket.socket) -> int:
    """How many connections wait at ``listener``."""
    count = 0
    with contextlib.suppress(BlockingIOError, TimeoutError):
        listener.setblocking(False)
        while True:
            listener.accept()[0].close()
            count += 1
    return count


def _probe(lab: Lab, migrate: int = 1, late: bool = False) -> str:
    with lab.network_namespace("pod") as pod:
        try:
            pod.sysctl("net.ipv4.tcp_migrate_req", migrate)
        except CnbenchError:
            return absent("tcp_migrate_req")
        with pod.entered(), contextlib.ExitStack() as stack:
            old, new = _listener(), stack.enter_context(_listener())
            if late:
                old.close()
            for _ in range(_CLIENTS):
                stack.enter_context(socket.create_connection(("127.0.0.1", 8080), _PATIENCE))
            old.close()
            found = _accepted(new)
    return "all kept" if found == _CLIENTS else "those of the closed one are lost"


BEHAVIOUR = Behaviour(
    name="network.closed-listener",
    question="Does a listener's successor get the connections that wait when it closes?",
    method=f"{_CLIENTS} clients connect to two SO_REUSEPORT listeners with tcp_migrate_req; one of "
    "the two closes, and the other accepts",
    matters="a proxy that is replaced in place loses connections, or does not",
    source="net/core/sock_reuseport.c: reuseport_migrate_sock; ip-sysctl.rst: tcp_migrate_req",
    probe=_probe,
    controls=(partial(_probe, migrate=0), partial(_probe, late=True)),
)
