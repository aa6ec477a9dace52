"""What connection tracking has counted in a namespace (net/netfilter/nf_conntrack_standalone.c)."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.counted import Counted
from cnbench.core.errors import KernelError
from cnbench.lab.netns import NetworkNamespace

# A heading, then one line a CPU in hexadecimal; that of the thread, since the process is elsewhere.
_STATISTICS = Path("/proc/thread-self/net/stat/nf_conntrack")
_TRACKED = Path("/proc/sys/net/netfilter/nf_conntrack_count")
# struct nlmsghdr and struct nfgenmsg: IPCTNL_MSG_CT_DELETE of NFNL_SUBSYS_CTNETLINK, which without
# a connection means all (include/uapi/linux/netfilter/nfnetlink_conntrack.h). pyroute2's socket for
# it takes a guest 4.4 million instructions, a tenth of a sample.
_NETLINK_NETFILTER = 12
_REQUEST_AND_ACK = 0x01 | 0x04
_FLUSH = struct.pack("=IHHIIBBH", 20, 1 << 8 | 2, _REQUEST_AND_ACK, 0, 0, socket.AF_UNSPEC, 0, 0)
_ERROR_OF = struct.Struct("=16x i")


@dataclass(frozen=True)
class Conntrack(Counted):
    """What a namespace's connection tracking has counted.

    Attributes:
        insert_failed: connections that clashed with another's translation and were not entered.
        dropped: packets dropped since the table was full or memory short.
    """

    insert_failed: int
    dropped: int


def conntrack(namespace: NetworkNamespace) -> Conntrack:
    """The counters of ``namespace``, over all CPUs; zeros where the kernel tracks none at all."""
    with namespace.entered():
        if not _STATISTICS.exists():
            return Conntrack(0, 0)
        heading, *lines = _STATISTICS.read_text().splitlines()
    names = heading.split()
    by_cpu = [dict(zip(names, line.split(), strict=True)) for line in lines]
    return Conntrack(
        *(sum(int(counted[name], 16) for counted in by_cpu) for name in ("insert_failed", "drop"))
    )


def forget_connections(namespace: NetworkNamespace) -> None:
    """Have ``namespace`` track no connection any more; nothing where the kernel tracks none at all.

    Those that have ended stay in the table for seconds, and whoever looks something up walks over
    them, or has to remove them.

    Raises:
        KernelError: it refuses.
    """
    with namespace.entered():
        if _tracked():
            _flush()


def _flush() -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as table:
        table.send(_FLUSH)
        (error,) = _ERROR_OF.unpack_from(table.recv(4096))
    if error:
        raise KernelError(f"emptying the table of connections: {os.strerror(-error)}")


def tracked(namespace: NetworkNamespace) -> int:
    """How many connections ``namespace`` tracks; none where the kernel tracks none at all."""
    with namespace.entered():
        return _tracked()


def _tracked() -> int:
    return int(_TRACKED.read_text()) if _TRACKED.exists() else 0
