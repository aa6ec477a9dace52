"""Being told that a network namespace is gone.

The kernel takes network namespaces down in batches by a worker (cleanup_net in
net/core/net_namespace.c), after their last process and descriptor. What tells is a device: one end
of a veth pair is in the namespace and the other in one of ours, which the kernel removes with it.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.lab.clock import Clock
from cnbench.lab.netns import NetworkNamespace

_PATIENCE = 60.0
_RTMGRP_LINK, _RTM_DELLINK = 1, 17
_HEADER = struct.Struct("=IHHII")


@dataclass
class Watch:
    """A namespace of ours that sees others go. Use ``open_watch``."""

    home: NetworkNamespace
    notices: socket.socket
    watched: int = 0
    gone: int = 0

    def over(self, pid: int) -> None:
        """Watch over the network namespace that the process is in.

        Raises:
            UnsupportedError: the kernel has no veth.
        """
        from pyroute2 import NetlinkError

        name = f"watch{self.watched}"
        namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            with self.home.netlink() as route:
                peer = {"ifname": "watched", "net_ns_fd": namespace}
                route.link("add", ifname=name, kind="veth", peer=peer)
        except NetlinkError as error:
            raise UnsupportedError(
                f"a veth pair cannot be made: {error}", "use a kernel with veth: --lab guest"
            ) from error
        finally:
            os.close(namespace)
        self.watched += 1

    def wait(self) -> int:
        """Wait until all that were watched over are gone; the clock's reading when they were.

        Raises:
            CnbenchError: one stays.
        """
        now = Clock.ticks()
        while self.gone < self.watched:
            ready, _, _ = select.select([self.notices], [], [], _PATIENCE)
            now = Clock.ticks()
            if not ready:
                raise CnbenchError(f"a network namespace is still there after {_PATIENCE:.0f} s")
            self.gone += _removals(self.notices.recv(1 << 16))
        return now


def _removals(messages: bytes) -> int:
    """How many devices of ours ``messages`` of netlink say are removed."""
    count = 0
    while len(messages) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(messages)
        count += kind == _RTM_DELLINK and b"watch" in messages[:length]
        messages = messages[(length + 3) & ~3 :]
    return count


@contextlib.contextmanager
def open_watch(home: NetworkNamespace) -> Iterator[Watch]:
    """A watch from ``home``, a namespace that is used for nothing else."""
    with home.entered():
        notices = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    with notices:
        notices.bind((0, _RTMGRP_LINK))
        yield Watch(home, notices)
