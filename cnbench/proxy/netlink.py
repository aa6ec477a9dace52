"""Many netlink requests in few system calls.

pyroute2 encodes one IPVS message in some 100 µs and waits for its answer before the next; at
50,000 services with two endpoints that alone is 15 seconds. Here messages are packed by hand, sent
64 KiB at a time, and only the last of each batch asks for an answer: the kernel works through
them in order, and answers those that fail. Requests to netfilter can make one transaction.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from cnbench.core.errors import KernelError

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")
_ERROR = struct.Struct("=i")
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NETLINK_NETFILTER = 12
# include/uapi/linux/netfilter/nfnetlink.h: NFNL_MSG_BATCH_BEGIN and _END, struct nfgenmsg.
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_NFGENMSG = struct.Struct("!BBH")
_SO_SNDBUFFORCE = 32
NLM_F_REQUEST = 0x01
NLM_F_ACK = 0x04
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_APPEND = 0x800
NLM_F_DUMP = 0x300
NLA_F_NESTED = 0x8000
_KIND = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER
# Well below the 208 KiB a socket may send unasked (net.core.wmem_default).
_BATCH_BYTES = 65536
_TRANSACTION_BYTES = 1 << 24
_ANSWER_BYTES = 1 << 16


class NetlinkRequest(NamedTuple):
    """One message: its netlink type and flags, what follows the header, and what it is about.

    ``about`` becomes a text only where the request fails.
    """

    kind: int
    flags: int
    body: bytes
    about: object


def attribute(kind: int, value: bytes) -> bytes:
    """Pack one attribute, padded to four bytes."""
    return _ATTRIBUTE.pack(len(value) + _ATTRIBUTE.size, kind) + value + bytes(-len(value) % 4)


def nested(kind: int, attributes: bytes) -> bytes:
    """Pack an attribute that holds attributes."""
    return attribute(kind | NLA_F_NESTED, attributes)


def attributes(packed: bytes) -> Iterator[tuple[int, bytes]]:
    """Unpack attributes: the kind of each, without the flags, and its value."""
    offset = 0
    while offset + _ATTRIBUTE.size <= len(packed):
        length, kind = _ATTRIBUTE.unpack_from(packed, offset)
        yield kind & _KIND, packed[offset + _ATTRIBUTE.size : offset + length]
        offset += length + -length % 4


def dump(opened: socket.socket, kind: int, body: bytes) -> Iterator[bytes]:
    """Ask for all of something, and give the body of each answer.

    Raises:
        KernelError: the kernel refuses.
    """
    header = _HEADER.pack(_HEADER.size + len(body), kind, NLM_F_REQUEST | NLM_F_DUMP, 0, 0)
    opened.send(header + body)
    while True:
        for kind_of_answer, _, answer in _messages(opened.recv(_ANSWER_BYTES)):
            if kind_of_answer == _NLMSG_DONE:
                return
            if kind_of_answer == _NLMSG_ERROR:
                (code,) = _ERROR.unpack_from(answer)
                raise KernelError(f"a netlink dump: {os.strerror(-code)}")
            yield answer


def _messages(received: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The kind, the number and the body of each message."""
    offset = 0
    while offset < len(received):
        length, kind, _, number, _ = _HEADER.unpack_from(received, offset)
        yield kind, number, received[offset + _HEADER.size : offset + length]
        offset += length + -length % 4


def send_all(
    protocol: int,
    requests: Iterable[NetlinkRequest],
    answered: Callable[[int], None] = lambda _: None,
) -> None:
    """Send requests in order, in the calling thread's network namespace.

    ``answered`` is told, after each batch, how many the kernel has worked through.

    Raises:
        KernelError: it refuses some; the message names what the first of them was about. Those
            after it in its batch were tried all the same; later batches were not sent.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as opened:
        opened.bind((0, 0))
        count = 0
        for batch in _batches(requests):
            opened.send(b"".join(_packed(batch)))
            _check_answers(opened, batch)
            count += len(batch)
            answered(count)


def send_transaction(subsystem: int, requests: Collection[NetlinkRequest]) -> None:
    """Send requests to a subsystem of netfilter, of which either all take effect or none.

    Nothing is sent where there are none. Needs CAP_NET_ADMIN in the calling thread's network
    namespace, and some 16 MiB at most.

    Raises:
        KernelError: it refuses; the message names what the first request refused was about.
    """
    if not requests:
        return
    body = _NFGENMSG.pack(socket.AF_UNSPEC, 0, subsystem)
    # An error of the whole is answered as one of its beginning.
    about = f"a transaction of {len(requests)} requests"
    batch = [NetlinkRequest(_BATCH_BEGIN, NLM_F_REQUEST, body, about), *requests]
    end = _HEADER.pack(_HEADER.size + len(body), _BATCH_END, NLM_F_REQUEST, len(batch), 0) + body
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as opened:
        opened.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _TRANSACTION_BYTES)
        opened.bind((0, 0))
        opened.send(b"".join((*_packed(batch), end)))
        _check_answers(opened, batch)


def _batches(requests: Iterable[NetlinkRequest]) -> Iterator[list[NetlinkRequest]]:
    batch: list[NetlinkRequest] = []
    size = 0
    for request in requests:
        batch.append(request)
        size += _HEADER.size + len(request.body)
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _packed(batch: list[NetlinkRequest]) -> Iterator[bytes]:
    """The messages of a batch, numbered from 0; the last asks for an answer."""
    last = len(batch) - 1
    for number, (kind, flags, body, _) in enumerate(batch):
        answered = NLM_F_ACK if number == last else 0
        yield _HEADER.pack(_HEADER.size + len(body), kind, flags | answered, number, 0)
        yield body


def _check_answers(opened: socket.socket, batch: list[NetlinkRequest]) -> None:
    """Read the answers, to that of the last request; KernelError for the first that failed."""
    last = len(batch) - 1
    first_failure: tuple[int, int] | None = None
    for number, code in _answers(opened):
        if code and first_failure is None:
            first_failure = number, code
        if number == last:
            break
    if first_failure:
        number, code = first_failure
        raise KernelError(f"{batch[number].about}: {os.strerror(code)}")


def _answers(opened: socket.socket) -> Iterator[tuple[int, int]]:
    """Give the number of each request that is answered, with its error code or 0."""
    while True:
        for kind, number, answer in _messages(opened.recv(_ANSWER_BYTES)):
            if kind == _NLMSG_ERROR:
                (code,) = _ERROR.unpack_from(answer)
                yield number, -code
