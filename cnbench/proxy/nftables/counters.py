"""Counters of nftables rules, asked of the kernel chain by chain.

``nft list chain`` first fetches the names of everything in the table: at 5,000 services that is
0.8 seconds for each chain. A netlink request for one chain's rules takes some ten microseconds at
any size; pyroute2 takes a hundred times that to decode the answer, which is too long for what is
asked after every sample, in a guest above all.

Layouts: include/uapi/linux/netfilter/nf_tables.h and nfnetlink.h.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator

from cnbench.proxy.family import Family
from cnbench.proxy.iptables.counters import Rule
from cnbench.proxy.netlink import attribute, attributes, dump

_NETLINK_NETFILTER = 12
_GET_RULE = 10 << 8 | 7  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETRULE
_GENERIC = struct.Struct("=BBH")  # struct nfgenmsg: family, version, resource
_RULE_TABLE, _RULE_CHAIN, _RULE_EXPRESSIONS = 1, 2, 4
_EXPR_NAME, _EXPR_DATA = 1, 2
_COUNTER_PACKETS = 2
_IMMEDIATE_DATA, _DATA_VERDICT, _VERDICT_CHAIN = 2, 2, 2
_TARGET_NAME = 1
_U64 = struct.Struct("!Q")


class RuleReader:
    """Reads the rules of one table. Use ``open_rules``."""

    def __init__(self, opened: socket.socket, table: str, family: Family) -> None:
        self._opened = opened
        self._header = _GENERIC.pack(family.number, 0, 0)
        self._table = attribute(_RULE_TABLE, table.encode() + b"\0")

    def rules(self, chain: str) -> list[Rule]:
        """Give the counted rules of one chain, in order; one without a counter is left out.

        There are none where there is no such chain.

        Raises:
            OSError: the kernel refuses.
        """
        # The answer is read to its end before another question is asked.
        return list(self._rules(chain))

    def _rules(self, chain: str) -> Iterator[Rule]:
        body = self._header + self._table + attribute(_RULE_CHAIN, chain.encode() + b"\0")
        for answer in dump(self._opened, _GET_RULE, body):
            expressions = dict(attributes(answer[_GENERIC.size :])).get(_RULE_EXPRESSIONS, b"")
            packets, target = None, ""
            for _, expression in attributes(expressions):
                parts = dict(attributes(expression))
                name, data = _text(parts[_EXPR_NAME]), dict(attributes(parts.get(_EXPR_DATA, b"")))
                if name == "counter":
                    (packets,) = _U64.unpack(data[_COUNTER_PACKETS])
                elif name == "immediate":
                    target = _jump(data) or target
                elif name == "target":  # a target of iptables, such as DNAT
                    target = _text(data[_TARGET_NAME])
            if packets is not None:
                yield Rule(packets, target)


@contextlib.contextmanager
def open_rules(table: str, family: Family) -> Iterator[RuleReader]:
    """A reader of a family's table in the calling thread's network namespace."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as opened:
        opened.bind((0, 0))
        yield RuleReader(opened, table, family)


def _jump(immediate: dict[int, bytes]) -> str:
    data = dict(attributes(immediate.get(_IMMEDIATE_DATA, b"")))
    verdict = dict(attributes(data.get(_DATA_VERDICT, b"")))
    return _text(verdict.get(_VERDICT_CHAIN, b""))


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode()
