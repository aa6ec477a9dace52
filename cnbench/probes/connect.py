"""Setting up TCP connections, one after the other: what the first packet of each costs."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence

from cnbench.core.errors import CnbenchError
from cnbench.lab.clock import Clock
from cnbench.lab.netns import NetworkNamespace
from cnbench.probes.first_packet import (
    Address,
    FirstPackets,
    Reply,
    address_of,
    family_of,
)
from cnbench.probes.listeners import first_ready, listening

# A SYN goes again after one second and two more: whoever is not answered gives up after seven.
_SYNS_AGAIN = 2
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Connector(FirstPackets):
    """Connects, and resets each connection before the next. Use ``open_connector``.

    The listener's side does so: what it accepts has its option, which each client would have to be
    given anew, and Python takes ten thousand instructions for that.
    """

    def __init__(
        self,
        client: NetworkNamespace,
        listeners: Sequence[socket.socket],
        sources: Sequence[str],
        clock: Clock,
    ) -> None:
        super().__init__(client, sources, clock)
        self._listeners = listeners

    def _socket(self) -> socket.socket:
        client = socket.socket(self.family, socket.SOCK_STREAM)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, _SYNS_AGAIN)
        return client

    def _begin(self, client: socket.socket, target: Address) -> Reply:
        # Looked up beforehand: how long Python takes for that differs from run to run.
        ticks, connect = self._clock.ticks, client.connect
        try:
            began = ticks()
            connect(target)
            took = ticks() - began
        except OSError as error:
            source = address_of(client.getsockname())
            raise CnbenchError(
                f"no connection from {source} to {target}: {error.strerror}"
            ) from error
        accepted, seen_from = first_ready(self._listeners, None).accept()
        with accepted:
            answered_by = accepted.getsockname()
        return Reply(target, address_of(answered_by), address_of(seen_from), took)


@contextlib.contextmanager
def open_connector(
    client: NetworkNamespace,
    server: NetworkNamespace,
    ports: Iterable[int],
    sources: Sequence[str],
    clock: Clock,
) -> Iterator[Connector]:
    """A connector from ``sources`` in ``client`` to ``ports`` on every address of ``server``."""
    family = family_of(sources[0])
    with listening(server, socket.SOCK_STREAM, family, ports) as listeners:
        for listener in listeners:
            listener.settimeout(None)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            listener.listen(128)
        yield Connector(client, listeners, sources, clock)
