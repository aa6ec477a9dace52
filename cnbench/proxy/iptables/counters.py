"""Counters of iptables-legacy, read from the kernel's table in one look.

``iptables-legacy -L CHAIN`` fetches the whole nat table for each chain it lists, and builds an
index of it first; at 50,000 services that is a second for every chain. One getsockopt brings
the same table, in which the wanted chains are found by their names.

Layouts: struct ipt_getinfo, ipt_get_entries, ipt_entry, xt_entry_target (Linux,
include/uapi/linux/netfilter_ipv4/ip_tables.h and netfilter/x_tables.h, on a 64-bit machine).
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass

from cnbench.core.errors import ServiceError
from cnbench.proxy.family import Family

_IPT_SO_GET_INFO = 64
_IPT_SO_GET_ENTRIES = 65
_INFO = struct.Struct("=32s I 5I 5I I I")
_ENTRIES_HEADER = struct.Struct("=32s I 4x")
# In an ipt_entry (and ip6t_entry, whose addresses and masks take more): where the target begins
# and the entry ends, then packets and bytes.
_ENTRIES = {
    Family.IPV4: struct.Struct("=88x H H 4x Q Q"),
    Family.IPV6: struct.Struct("=140x H H 8x Q Q"),
}
_LEVELS = {Family.IPV4: socket.IPPROTO_IP, Family.IPV6: socket.IPPROTO_IPV6}
_TARGET = struct.Struct("=H 29s B")
_VERDICT = struct.Struct("=i")
_ERROR_NAME_SIZE = 32  # the error target's name, padded: what a user chain's header is made of

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's packets, and where it sends them: a chain, or a target such as DNAT."""

    packets: int
    target: str


class TableImage:
    """One table as the kernel gave it, with the counters of that moment.

    ``headers`` remembers where chains were found, for the next image of the same table.
    """

    def __init__(
        self,
        entries: bytearray,
        headers: MutableMapping[str, int] | None = None,
        family: Family = Family.IPV4,
    ) -> None:
        self._entries = entries
        self._entry = entry = _ENTRIES[family]
        self._header_size = entry.size + _TARGET.size + _ERROR_NAME_SIZE
        self._headers = {} if headers is None else headers

    def rules(self, chain: str) -> Iterator[Rule]:
        """Give the rules of a user-made chain, in order.

        Raises:
            ServiceError: there is no such chain.
        """
        offset = self._chain_header(chain) + self._header_size
        while True:
            target_offset, size, packets, _ = self._entry.unpack_from(self._entries, offset)
            _, name, _ = _TARGET.unpack_from(self._entries, offset + target_offset)
            target = name.split(b"\0", 1)[0].decode()
            following = offset + size
            if self._ends_a_chain(following):
                return  # what stands last in a chain is its policy, which no rule wrote
            yield Rule(packets, target or self._verdict(offset + target_offset))
            offset = following

    def _chain_header(self, chain: str) -> int:
        known = self._headers.get(chain)
        if known is not None and self._is_header(known, chain):
            return known
        self._headers[chain] = found = self._search(chain)
        return found

    def _search(self, chain: str) -> int:
        name = chain.encode() + b"\0"
        at = self._entries.find(name)
        while at >= 0:
            header = at - _TARGET.size - self._entry.size
            if header >= 0 and self._ends_a_chain(header):
                return header
            at = self._entries.find(name, at + 1)
        raise ServiceError(f"the kernel's table has no chain {chain}")

    def _is_header(self, offset: int, chain: str) -> bool:
        name = chain.encode() + b"\0"
        start = offset + self._entry.size + _TARGET.size
        return self._entries[start : start + len(name)] == name and self._ends_a_chain(offset)

    def _ends_a_chain(self, offset: int) -> bool:
        # The next chain's header, or the table's end: both are entries with an ERROR target.
        target_offset, *_ = self._entry.unpack_from(self._entries, offset)
        if target_offset != self._entry.size:
            return False
        _, name, _ = _TARGET.unpack_from(self._entries, offset + target_offset)
        return bool(name.startswith(b"ERROR\0"))

    def _verdict(self, target: int) -> str:
        (verdict,) = _VERDICT.unpack_from(self._entries, target + _TARGET.size)
        if verdict < 0:
            return "RETURN" if verdict == -5 else "ACCEPT"
        name = verdict - _ERROR_NAME_SIZE
        return self._entries[name:verdict].split(b"\0", 1)[0].decode()


def read_table(
    table: str, family: Family, headers: MutableMapping[str, int] | None = None
) -> TableImage:
    """Read a table of the calling thread's network namespace.

    ``headers`` as for `TableImage`: without it each chain is searched for, which takes as long as
    reading the table does.

    Raises:
        OSError: the kernel refuses.
    """
    level = _LEVELS[family]
    with socket.socket(family.number, socket.SOCK_RAW, socket.IPPROTO_RAW) as opened:
        name = table.encode()
        info = bytearray(_INFO.pack(name, *[0] * (len(_INFO.unpack(bytes(_INFO.size))) - 1)))
        _getsockopt(opened.fileno(), level, _IPT_SO_GET_INFO, info)
        size = _INFO.unpack(info)[-1]
        answer = bytearray(_ENTRIES_HEADER.size + size)
        _ENTRIES_HEADER.pack_into(answer, 0, name, size)
        _getsockopt(opened.fileno(), level, _IPT_SO_GET_ENTRIES, answer)
    del answer[: _ENTRIES_HEADER.size]
    return TableImage(answer, headers, family)


def _getsockopt(descriptor: int, level: int, option: int, buffer: bytearray) -> None:
    """Have the kernel replace what is in ``buffer``; the socket module's own allows 1,024 bytes."""
    shared = (ctypes.c_char * len(buffer)).from_buffer(buffer)
    size = ctypes.c_uint32(len(buffer))
    if _libc.getsockopt(descriptor, level, option, shared, ctypes.byref(size)):
        error = ctypes.get_errno()
        raise OSError(error, f"reading an iptables table: {os.strerror(error)}")


def packets(rules: Iterable[Rule], target: str) -> int:
    """Sum the packets of the rules whose target begins so."""
    return sum(rule.packets for rule in rules if rule.target.startswith(target))
