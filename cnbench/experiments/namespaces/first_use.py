"""The first thing that is done with a new namespace."""

from __future__ import annotations

import fcntl
import socket
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from cnbench.lab import libc
from cnbench.lab.namespaces.kinds import Kind

_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1


def first_use(kinds: Sequence[Kind], folder: Path) -> Callable[[], None] | None:
    """What to do first in namespaces of ``kinds``, or None where nothing is meant by it.

    ``folder`` is an empty one, to mount on.
    """
    names = [kind.name for kind in kinds]
    if names == ["mnt"]:
        return lambda: libc.mount("none", str(folder), "tmpfs", "")
    if names == ["net"]:
        return _first_packet
    return None


def prepare(kinds: Sequence[Kind]) -> None:
    """What comes before and is not the first use: a mount would be seen in other namespaces."""
    if [kind.name for kind in kinds] == ["mnt"]:
        libc.keep_mounts_to_oneself()


def _first_packet() -> None:
    """Put loopback up and send a datagram over it to oneself."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        fcntl.ioctl(sender, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
        receiver.bind(("127.0.0.1", 0))
        sender.sendto(b".", receiver.getsockname())
        receiver.recv(1)
