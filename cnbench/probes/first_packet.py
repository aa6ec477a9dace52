"""A conversation's first packet, again and again: the only one that walks the rules.

Client and server are one thread, in two namespaces: over veth a packet and its answer are handled
within the client's own system call, so nothing ever sleeps, no second CPU takes part, and no
scheduler decides what is measured.
"""

from __future__ import annotations

import errno
import itertools
import socket
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cnbench.core.errors import CnbenchError
from cnbench.lab.clock import Clock
from cnbench.lab.netns import NetworkNamespace

# Above the well-known ports and below those that the kernel hands out by itself.
_SOURCE_PORTS = range(1024, 32768)
# The kernel sends a SYN again after one second (TCP_TIMEOUT_INIT, RFC 6298).
_AGAIN_NS = 950_000_000


class Address(NamedTuple):
    """An IP address and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address_of(socket_address: tuple[Any, ...]) -> Address:
    """The address that a socket's own notion of it holds: IPv6's has two fields more."""
    return Address(*socket_address[:2])


def family_of(host: str) -> socket.AddressFamily:
    """The family of an IP address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class Reply(NamedTuple):
    """One conversation that was begun and answered.

    Attributes:
        target: where its first packet was sent.
        answered_by: who took it.
        seen_from: whom it came from, as who took it saw that.
        ticks: clock ticks from the first packet to its answer.
    """

    target: Address
    answered_by: Address
    seen_from: Address
    ticks: int

    @property
    def sent_again(self) -> bool:
        """Whether the first packet was lost, so that the time is that of waiting to send it again.

        Nothing on these paths waits otherwise.
        """
        return self.ticks >= _AGAIN_NS


@dataclass
class Conversations:
    """Conversations that were begun one after the other.

    Attributes:
        replies: in the order they were begun.
        ports_in_use: source ports that were skipped because they were taken.
    """

    replies: list[Reply] = field(default_factory=list)
    ports_in_use: int = 0


def times(replies: Sequence[Reply]) -> list[int]:
    """The ticks of each reply to a first packet that was not sent again.

    Raises:
        CnbenchError: there is none: the path loses packets.
    """
    found = [reply.ticks for reply in replies if not reply.sent_again]
    if not found:
        raise CnbenchError(
            f"all of {len(replies)} first packets had to be sent again: the path loses packets"
        )
    return found


class FirstPackets(ABC):
    """Begins conversations from a client's namespace with a server of its own."""

    def __init__(self, client: NetworkNamespace, sources: Sequence[str], clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self.family = family_of(sources[0])
        # Each has a source of its own: one that conntrack knows would skip the rules.
        self._sources = itertools.cycle(itertools.product(_SOURCE_PORTS, sources))

    def send(self, targets: Sequence[Address], count: int) -> Conversations:
        """Begin ``count`` conversations, with each of ``targets`` in turn.

        Raises:
            CnbenchError: one was refused or not answered.
        """
        batch = Conversations()
        with self._client.entered():
            for target in itertools.islice(itertools.cycle(targets), count):
                with self._bound(batch) as client:
                    batch.replies.append(self._begin(client, target))
        return batch

    def _bound(self, batch: Conversations) -> socket.socket:
        """A new socket, bound to the next source that is free."""
        client = self._socket()
        while True:
            port, host = next(self._sources)
            try:
                client.bind((host, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    client.close()
                    raise
                batch.ports_in_use += 1
            else:
                return client

    @abstractmethod
    def _socket(self) -> socket.socket:
        """A new socket of the client's."""

    @abstractmethod
    def _begin(self, client: socket.socket, target: Address) -> Reply:
        """One conversation, begun, answered and ended."""
