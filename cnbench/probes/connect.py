"""Setting up TCP connections, one after the other: what the first packet of each costs.

Client and server are one thread, in two namespaces: over veth the SYN, the answer and its
acknowledgement are handled within the client's own system call, so nothing ever sleeps, no second
CPU takes part, and no scheduler decides what is measured.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import socket
import statistics
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnbench.core.errors import CnbenchError
from cnbench.lab.clock import Clock
from cnbench.lab.netns import NetworkNamespace

# Above the well-known ports and below those that the kernel hands out by itself.
_SOURCE_PORTS = range(1024, 32768)
# The kernel sends a SYN again after one second (TCP_TIMEOUT_INIT, RFC 6298).
_SYN_AGAIN_NS = 950_000_000
_GIVE_UP_SECONDS = 5
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class Connections:
    """A batch of connections that were set up.

    Attributes:
        ticks: clock ticks that each took, of those whose first SYN was answered.
        answered_by: the addresses, with ports, that accepted them.
        retransmitted: how many needed a second SYN; their times are kept out of ``ticks``.
        ports_in_use: source ports that were skipped because they were taken.
    """

    ticks: list[int]
    answered_by: set[str]
    retransmitted: int = 0
    ports_in_use: int = 0

    @property
    def made(self) -> int:
        """How many connections there were."""
        return len(self.ticks) + self.retransmitted

    def median_ticks(self) -> float:
        """The median over the connections whose first SYN was answered.

        Raises:
            CnbenchError: there is none: the path loses packets.
        """
        if not self.ticks:
            raise CnbenchError(
                f"all of {self.made} connections needed a second SYN: the path loses packets"
            )
        return statistics.median(self.ticks)


class Connector:
    """Connects from a client's namespace to a listener of its own. Use ``open_connector``."""

    def __init__(
        self,
        client: NetworkNamespace,
        listener: socket.socket,
        sources: Sequence[str],
        clock: Clock,
    ) -> None:
        self._client = client
        self._listener = listener
        self._clock = clock
        # Every connection has a source of its own: one that conntrack knows would skip the rules.
        self._sources = itertools.cycle(itertools.product(_SOURCE_PORTS, sources))

    def connect(self, target: tuple[str, int], count: int) -> Connections:
        """Set up ``count`` connections to ``target``, each reset before the next.

        Raises:
            CnbenchError: one was refused or not answered.
        """
        batch = Connections([], set())
        with self._client.entered():
            while batch.made < count:
                self._connect_once(target, batch)
        return batch

    def _connect_once(self, target: tuple[str, int], batch: Connections) -> None:
        host, port = self._next_source()
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            client.setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _GIVE_UP_SECONDS, 0)
            )
            try:
                client.bind((host, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                batch.ports_in_use += 1
                return
            try:
                began = self._clock.ticks()
                client.connect(target)
                took = self._clock.ticks() - began
            except OSError as error:
                raise CnbenchError(
                    f"no connection from {host}:{port} to {target[0]}:{target[1]}: {error.strerror}"
                ) from error
            accepted, _ = self._listener.accept()
            with accepted:
                answered_by = accepted.getsockname()
                client.close()
        batch.answered_by.add(f"{answered_by[0]}:{answered_by[1]}")
        if took >= _SYN_AGAIN_NS:
            batch.retransmitted += 1
        else:
            batch.ticks.append(took)

    def _next_source(self) -> tuple[str, int]:
        port, host = next(self._sources)
        return host, port


@contextlib.contextmanager
def open_connector(
    client: NetworkNamespace,
    server: NetworkNamespace,
    port: int,
    sources: Sequence[str],
    clock: Clock,
) -> Iterator[Connector]:
    """A connector from ``sources`` in ``client`` to ``port`` on every address of ``server``."""
    with server.entered():
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with listener:
        listener.settimeout(None)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", port))  # noqa: S104  inside a namespace of the run's own
        listener.listen(128)
        yield Connector(client, listener, sources, clock)
