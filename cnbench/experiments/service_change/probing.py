"""New connections to a Service, one after another, until one ends as it is to."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from cnbench.core.errors import CnbenchError
from cnbench.lab.netns import NetworkNamespace

PORT = 8080
_EVERY, _PATIENCE = 0.001, 60.0
_WAITING = 128


@dataclass(frozen=True)
class Door:
    """A server at an endpoint's address. Use ``open_door``."""

    network: NetworkNamespace
    server: socket.socket

    def first(self, service: str, open_: bool) -> int:
        """When the first connection to ``service`` was begun that came here, or was refused.

        Args:
            service: the Service's address; its port is the endpoint's.
            open_: whether it is to come here.

        Returns:
            ns of CLOCK_REALTIME.

        Raises:
            CnbenchError: none did.
        """
        give_up = time.monotonic() + _PATIENCE
        with self.network.entered():
            while time.monotonic() < give_up:
                began = time.time_ns()
                if self._comes(service) == open_:
                    return began
                time.sleep(_EVERY)
        raise CnbenchError(f"no connection was {'answered' if open_ else 'refused'}")

    def _comes(self, service: str) -> bool:
        """Whether a connection that is begun now comes to this server."""
        with socket.socket() as client:
            client.setblocking(False)  # what nobody knows is dropped, and not refused
            client.connect_ex((service, PORT))
            select.select([], [client], [], _EVERY)
            try:
                peer = client.getsockname() if client.getpeername() else None
            except OSError:
                return False
            return peer is not None and self._accepted()

    def _accepted(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            self.server.accept()[0].close()
            return True
        return False


@contextlib.contextmanager
def open_door(network: NetworkNamespace, address: str) -> Iterator[Door]:
    """A server at ``address`` in a network namespace; raises CnbenchError."""
    with network.entered():
        server = socket.socket()
    with server:
        try:
            server.bind((address, PORT))
        except OSError as error:
            raise CnbenchError(f"nobody can listen at {address}: {error.strerror}") from error
        server.listen(_WAITING)
        server.setblocking(False)
        yield Door(network, server)
