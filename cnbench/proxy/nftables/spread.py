"""The rules that spread a service's connections over its endpoints, and a quick way to load them.

Each has an anonymous map: ``numgen random mod 2 vmap { 0 : goto A , 1 : goto B }``. What nft sends
for one has the kernel walk all sets of the table five times: to see whether one is called
``__map%d``, to read a number out of every set's name, to see whether the name made so is free, to
find the set for its elements, and to find it for the rule (nf_tables_newset,
nf_tables_set_alloc_name, nft_set_lookup_global). Then it walks the whole transaction, to bind the
set (__nft_set_trans_bind). Sent from here the map comes with its name, and its elements call it by
its number in the transaction: three walks are left. And transactions can be short, since they need
no listing of what is there. What the kernel holds in the end is what nft would have left.

Layouts: include/uapi/linux/netfilter/nf_tables.h; the values are those that nft 1.0.6 sends.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cnbench.proxy.family import Family
from cnbench.proxy.netlink import (
    NLM_F_APPEND,
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REQUEST,
    NetlinkRequest,
    attribute,
    nested,
)

SUBSYSTEM = 10  # NFNL_SUBSYS_NFTABLES
_NEW_RULE, _NEW_SET, _NEW_ELEMENTS = (SUBSYSTEM << 8 | message for message in (6, 9, 12))
_HEADER = struct.Struct("=BBH")  # struct nfgenmsg: family, version, resource
_U32 = struct.Struct("!I")
_KEY = struct.Struct("=I")
_ITEM = 1  # NFTA_LIST_ELEM
_GOTO = 0xFFFFFFFC
_VERDICT_REGISTER, _FIRST_REGISTER = 0, 1
_RANDOM = 1
# An attribute holds 64 KiB, and an element with the longest name of a chain some 170 bytes.
_ELEMENTS_A_MESSAGE = 256


class Spread(NamedTuple):
    """A chain, and the chains that it goes to, each with the same probability.

    As a text it is what nft is told.
    """

    chain: str
    targets: Sequence[str]

    def __str__(self) -> str:
        verdicts = " , ".join(f"{n} : goto {target}" for n, target in enumerate(self.targets))
        return f"{self.chain} numgen random mod {len(self.targets)} vmap {{ {verdicts} }}"


def additions(
    table: str, family: Family, spreads: Sequence[Spread], first: int
) -> Iterator[NetlinkRequest]:
    """Ask for rules at the ends of their chains; to be sent in one transaction.

    Their maps are numbered from ``first``; no map of the table may have such a number yet.
    """
    of_table = _HEADER.pack(family.number, 0, 0) + attribute(1, _text(table))
    new = NLM_F_REQUEST | NLM_F_CREATE
    for number, spread in enumerate(spreads, first):
        name, id_ = _text(f"__map{number}"), _U32.pack(number)
        yield NetlinkRequest(
            _NEW_SET, new | NLM_F_EXCL, of_table + _set(name, id_, len(spread.targets)), spread
        )
        for start in range(0, len(spread.targets), _ELEMENTS_A_MESSAGE):
            some = spread.targets[start : start + _ELEMENTS_A_MESSAGE]
            yield NetlinkRequest(_NEW_ELEMENTS, new, of_table + _elements(id_, some, start), spread)
        yield NetlinkRequest(
            _NEW_RULE, new | NLM_F_APPEND, of_table + _rule(spread, name, id_), spread
        )


def _set(name: bytes, id_: bytes, size: int) -> bytes:
    return (
        attribute(2, name)
        + _SET_KIND
        + attribute(10, id_)
        + nested(9, attribute(1, _U32.pack(size)))
        + _SET_USER_DATA
    )


_SET_KIND = (
    attribute(3, _U32.pack(0x1 | 0x2 | 0x8))  # anonymous, constant, a map
    + attribute(4, _U32.pack(4))  # nft's number of the type `integer`
    + attribute(5, _U32.pack(4))  # bytes of a key
    + attribute(6, _U32.pack(0xFFFFFF00))  # NFT_DATA_VERDICT
    + attribute(7, _U32.pack(0))
)
# For nft's listings: the keys are integers in the host's order.
_SET_USER_DATA = attribute(
    13, bytes.fromhex("00040100000001040000000004080004010000000100060400000000")
)


def _elements(id_: bytes, targets: Sequence[str], first: int) -> bytes:
    elements = b"".join(
        nested(_ITEM, nested(1, attribute(1, _KEY.pack(n))) + nested(2, _goto(target)))
        for n, target in enumerate(targets, first)
    )
    return attribute(4, id_) + nested(3, elements)


def _goto(chain: str) -> bytes:
    return nested(2, attribute(1, _U32.pack(_GOTO)) + attribute(2, _text(chain)))


def _rule(spread: Spread, name: bytes, id_: bytes) -> bytes:
    numgen = (
        attribute(1, _U32.pack(_FIRST_REGISTER))
        + attribute(2, _U32.pack(len(spread.targets)))
        + attribute(3, _U32.pack(_RANDOM))
        + attribute(4, _U32.pack(0))
    )
    lookup = (
        attribute(2, _U32.pack(_FIRST_REGISTER))
        + attribute(3, _U32.pack(_VERDICT_REGISTER))
        + attribute(1, name)
        + attribute(4, id_)
    )
    expressions = _expression("numgen", numgen) + _expression("lookup", lookup)
    return attribute(2, _text(spread.chain)) + nested(4, expressions)


def _expression(name: str, data: bytes) -> bytes:
    return nested(_ITEM, attribute(1, _text(name)) + nested(2, data))


def _text(text: str) -> bytes:
    return text.encode() + b"\0"
