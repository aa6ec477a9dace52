"""Sockets that wait on several ports, as the endpoints of several services do."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterable, Iterator, Sequence

from cnbench.lab.netns import NetworkNamespace


@contextlib.contextmanager
def listening(
    namespace: NetworkNamespace,
    kind: socket.SocketKind,
    family: socket.AddressFamily,
    ports: Iterable[int],
) -> Iterator[list[socket.socket]]:
    """Sockets in ``namespace``, one bound to each of ``ports`` on every address of a family."""
    with contextlib.ExitStack() as opened:
        sockets = []
        for port in ports:
            with namespace.entered():
                listener = opened.enter_context(socket.socket(family, kind))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(("", port))
            sockets.append(listener)
        yield sockets


def first_ready(sockets: Sequence[socket.socket], seconds: float | None) -> socket.socket:
    """The socket on which something has come in; of one, that one without asking.

    Raises:
        BlockingIOError: nothing has, within ``seconds``.
    """
    if len(sockets) == 1:
        return sockets[0]
    ready, _, _ = select.select(sockets, (), (), seconds)
    if not ready:
        raise BlockingIOError
    return ready[0]
