"""Packets that carry what their sender's cgroup says: a class (net_cls) or a priority (net_prio).

The kernel marks a socket with the class of its maker's group, which is asked for and counted here
in a network namespace of our own (``class_readers.py``). It gives a packet its group's priority for
the device that it leaves by, which loopback hands on and the receiver is told (SO_RCVPRIORITY).
Priorities can only be set for devices of the initial namespace (write_priomap in
net/core/netprio_cgroup.c), so these packets go over the loopback that everybody has; nothing is
changed there for other groups.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from cnbench.core.errors import UnsupportedError
from cnbench.lab.cgroups.class_readers import CLASS, ClassReader
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.netns import NetworkNamespace

_PRIORITY = 5
_MAP = f"lo {_PRIORITY}"
# From asm-generic/socket.h, since Linux 6.14.
_SO_RCVPRIORITY = 82


class Marked(Protocol):
    """A group whose packets are marked, a receiver for them, and who counts them."""

    group: Cgroup
    receiver: socket.socket

    def read_back(self) -> bool:
        """Whether the group has its mark, as the kernel says."""

    def entered(self) -> AbstractContextManager[None]:
        """Where senders are to be started."""

    def drain(self) -> int:
        """Take all datagrams that have arrived; how many there were."""

    def counted(self) -> int:
        """Packets that had the mark so far."""


class Classified:
    """Sockets marked with a class, and packets that a reader counts in ``namespace`` by it."""

    def __init__(
        self,
        group: Cgroup,
        namespace: NetworkNamespace,
        receiver: socket.socket,
        reader: ClassReader,
    ) -> None:
        self.group = group
        self.receiver = receiver
        self._namespace = namespace
        self._reader = reader

    def read_back(self) -> bool:
        """As ``Marked``."""
        return self.group.number("net_cls.classid") == CLASS

    def entered(self) -> AbstractContextManager[None]:
        """As ``Marked``."""
        return self._namespace.entered()

    def drain(self) -> int:
        """As ``Marked``."""
        return sum(1 for _ in _arrived(self.receiver))

    def counted(self) -> int:
        """As ``Marked``, by the reader."""
        return self._reader.packets(self._namespace)


class Prioritised:
    """Packets with a priority, which their receiver is told."""

    def __init__(self, group: Cgroup, receiver: socket.socket) -> None:
        self.group = group
        self.receiver = receiver
        self._counted = 0

    def read_back(self) -> bool:
        """As ``Marked``."""
        return _MAP in self.group.read("net_prio.ifpriomap").splitlines()

    def entered(self) -> AbstractContextManager[None]:
        """As ``Marked``: here."""
        return contextlib.nullcontext()

    def drain(self) -> int:
        """As ``Marked``, looking at the priority of each."""
        priorities = list(_arrived(self.receiver))
        self._counted += priorities.count(_PRIORITY)
        return len(priorities)

    def counted(self) -> int:
        """As ``Marked``, of those that were drained."""
        return self._counted


def _arrived(receiver: socket.socket) -> Iterator[int]:
    """The priority of each datagram that has arrived, 0 where the receiver is not told."""
    with contextlib.suppress(BlockingIOError):
        while True:
            _data, told, _flags, _sender = receiver.recvmsg(16, 64)
            yield next((struct.unpack("=I", word)[0] for *_, word in told), 0)


@contextlib.contextmanager
def open_classified(
    group: Cgroup, namespace: NetworkNamespace, reader: ClassReader
) -> Iterator[Classified]:
    """Have the sockets of ``group`` marked with a class that ``reader`` counts in ``namespace``.

    Raises:
        UnsupportedError: the kernel lacks what the reader takes.
    """
    group.write("net_cls.classid", CLASS)
    reader.set_up(namespace)
    with namespace.entered():
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with receiver:
        yield Classified(group, namespace, _bound(receiver), reader)


@contextlib.contextmanager
def open_prioritised(group: Cgroup) -> Iterator[Prioritised]:
    """Have the packets of ``group`` leave by loopback with a priority.

    Raises:
        UnsupportedError: the kernel tells no receiver the priority.
    """
    group.write("net_prio.ifpriomap", _MAP)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        try:
            receiver.setsockopt(socket.SOL_SOCKET, _SO_RCVPRIORITY, 1)
        except OSError as error:
            raise UnsupportedError(
                f"this kernel tells no receiver a packet's priority: {error.strerror}",
                "SO_RCVPRIORITY came with Linux 6.14",
            ) from error
        yield Prioritised(group, _bound(receiver))


def _bound(receiver: socket.socket) -> socket.socket:
    receiver.bind(("127.0.0.1", 0))
    receiver.setblocking(False)
    return receiver
