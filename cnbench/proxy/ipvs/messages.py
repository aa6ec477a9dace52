"""IPVS and address requests as the kernel reads them.

Layouts: include/uapi/linux/ip_vs.h (generic netlink, family IPVS), linux/genetlink.h,
linux/if_addr.h and linux/rtnetlink.h.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from cnbench.proxy.family import Family, family_of, joined
from cnbench.proxy.ipvs.program import VirtualAddress, VirtualServer
from cnbench.proxy.model import Endpoint
from cnbench.proxy.netlink import (
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REQUEST,
    NetlinkRequest,
    attribute,
    nested,
)

NEW_SERVICE, SET_SERVICE, DEL_SERVICE = 1, 2, 3
NEW_DEST, DEL_DEST = 5, 7
_PERSISTENT = 0x0001  # IP_VS_SVC_F_PERSISTENT
_ALL_FLAGS = 0xFFFFFFFF
_MASQUERADE = 0  # IP_VS_CONN_F_MASQ: what kube-proxy uses
_WEIGHT = 1

_RTM_NEWADDR, _RTM_DELADDR = 20, 21
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
PROTOCOLS = {
    "tcp": socket.IPPROTO_TCP,
    "udp": socket.IPPROTO_UDP,
    "sctp": socket.IPPROTO_SCTP,
}

_GENERIC = struct.Struct("=BBH")  # struct genlmsghdr: command, version, reserved
_U16 = struct.Struct("=H")
_U32 = struct.Struct("=I")
_PORT = struct.Struct("!H")
_FLAGS = struct.Struct("=II")

# A mask of IPv4, a prefix's length of IPv6 (ip_vs_add_service).
_NETMASKS = {
    Family.IPV4: attribute(9, b"\xff\xff\xff\xff"),
    Family.IPV6: attribute(9, _U32.pack(128)),
}
# What names a virtual server: family, protocol, address, port. There are very many of these, and of
# the addresses on the device, so that they are packed whole and not attribute by attribute.
_KEY = struct.Struct("=8sHHHxxHH16sHH2sxx")
_FAMILIES = {family: attribute(1, _U16.pack(family.number)) for family in Family}
# struct ifaddrmsg and two attributes.
_HOST_ADDRESSES = {
    Family.IPV4: struct.Struct("=BBBBIHH4sHH4s"),
    Family.IPV6: struct.Struct("=BBBBIHH16sHH16s"),
}
_NO_DETECTION = 0x02  # IFA_F_NODAD: as kube-proxy, which knows that nobody else has the address
# A real server's attributes differ in its address and port alone, and there are very many of them.
_DEST = (
    attribute(1, bytes(16))
    + attribute(2, bytes(2))
    + attribute(3, _U32.pack(_MASQUERADE))
    + attribute(4, _U32.pack(_WEIGHT))
    + attribute(5, _U32.pack(0))
    + attribute(6, _U32.pack(0))
    + attribute(11, _U16.pack(0))
)
_DEST_START = nested(2, _DEST)[:8]
# What comes between address and port, and after the port. An address (union nf_inet_addr) has room
# for IPv6's.
_AROUND_PORT = {
    family: (
        bytes(16 - family.host_bits // 8) + _DEST[20:24],
        _DEST[26:-4] + _U16.pack(family.number) + bytes(2),
    )
    for family in Family
}
_KEY_HEADER = nested(1, bytes(_KEY.size))[:4]


class RealServerOf(NamedTuple):
    """A real server behind a virtual one, to be named where a request fails."""

    endpoint: Endpoint
    at: VirtualAddress

    def __str__(self) -> str:
        return f"real server {self.endpoint} of the virtual server {_name(self.at)}"


class VirtualServerAt(NamedTuple):
    """A virtual server, to be named where a request fails."""

    at: VirtualAddress

    def __str__(self) -> str:
        return f"virtual server {_name(self.at)}"


class DeviceAddress(NamedTuple):
    """An address of the device, to be named where a request fails."""

    address: str

    def __str__(self) -> str:
        return f"address {self.address} of the IPVS device"


def additions(
    family: int, servers: Iterable[VirtualServer], scheduler: str
) -> Iterator[NetlinkRequest]:
    """Ask for virtual servers and the real ones behind each; ``family`` is IPVS's netlink type."""
    for server in servers:
        key = _key(server.at)
        yield _service_request(family, NEW_SERVICE, key, server, scheduler)
        start = _dest_start(NEW_DEST, key)
        for endpoint in server.real_servers:
            yield _dest_request(family, start, server.at, endpoint)


def deletions(family: int, addresses: Iterable[VirtualAddress]) -> Iterator[NetlinkRequest]:
    """Ask for virtual servers to go, with the real ones behind them."""
    for at in addresses:
        body = _GENERIC.pack(DEL_SERVICE, 1, 0) + nested(1, _key(at))
        yield NetlinkRequest(family, NLM_F_REQUEST, body, f"deleting the {VirtualServerAt(at)}")


def changes(
    family: int, before: VirtualServer, after: VirtualServer, scheduler: str
) -> Iterator[NetlinkRequest]:
    """Ask for a virtual server to become another at the same address."""
    key = _key(after.at)
    if before.persistence != after.persistence:
        yield _service_request(family, SET_SERVICE, key, after, scheduler)
    old = {(endpoint.address, endpoint.port): endpoint for endpoint in before.real_servers}
    new = {(endpoint.address, endpoint.port): endpoint for endpoint in after.real_servers}
    for at, endpoint in new.items():
        if at not in old:
            yield _dest_request(family, _dest_start(NEW_DEST, key), after.at, endpoint)
    for at, endpoint in old.items():
        if at not in new:
            yield _dest_request(family, _dest_start(DEL_DEST, key), after.at, endpoint)


def _service_request(
    family: int, command: int, key: bytes, server: VirtualServer, scheduler: str
) -> NetlinkRequest:
    inet = family_of(server.at.address)
    start, rest = _around_key(command, scheduler, server.persistence, inet)
    return NetlinkRequest(family, NLM_F_REQUEST, start + key + rest, VirtualServerAt(server.at))


@lru_cache(maxsize=64)
def _around_key(
    command: int, scheduler: str, persistence: int, inet: Family
) -> tuple[bytes, bytes]:
    """What comes before the name of a virtual server, and what after it."""
    rest = (
        attribute(6, scheduler.encode() + b"\0")
        + attribute(7, _FLAGS.pack(_PERSISTENT if persistence else 0, _ALL_FLAGS))
        + attribute(8, _U32.pack(persistence))
        + _NETMASKS[inet]
    )
    header = nested(1, bytes(_KEY.size) + rest)[:4]
    return _GENERIC.pack(command, 1, 0) + header, rest


def _dest_start(command: int, key: bytes) -> bytes:
    return _GENERIC.pack(command, 1, 0) + _KEY_HEADER + key + _DEST_START


def _dest_request(
    family: int, start: bytes, at: VirtualAddress, endpoint: Endpoint
) -> NetlinkRequest:
    inet = family_of(endpoint.address)
    before_port, after_port = _AROUND_PORT[inet]
    address, port = inet.packed(endpoint.address), _PORT.pack(endpoint.port)
    body = b"".join((start, address, before_port, port, after_port))
    return NetlinkRequest(family, NLM_F_REQUEST, body, RealServerOf(endpoint, at))


def address_requests(
    index: int, addresses: Iterable[str], *, delete: bool = False
) -> Iterator[NetlinkRequest]:
    """Ask for addresses (of one host each) to be put on a network device, or to be taken away."""
    kind = _RTM_DELADDR if delete else _RTM_NEWADDR
    flags = NLM_F_REQUEST if delete else NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL
    for address in addresses:
        inet = family_of(address)
        packed, size = inet.packed(address), 4 + inet.host_bits // 8
        quietly = _NO_DETECTION if inet is Family.IPV6 else 0
        body = _HOST_ADDRESSES[inet].pack(
            *(inet.number, inet.host_bits, quietly, 0, index),
            *(size, _IFA_LOCAL, packed),
            *(size, _IFA_ADDRESS, packed),
        )
        yield NetlinkRequest(kind, flags, body, DeviceAddress(address))


def _key(at: VirtualAddress) -> bytes:
    inet = family_of(at.address)
    address, port = inet.packed(at.address), _PORT.pack(at.port)
    return _KEY.pack(_FAMILIES[inet], 6, 2, PROTOCOLS[at.protocol], 20, 3, address, 6, 4, port)


def _name(at: VirtualAddress) -> str:
    return f"{joined(at.address, at.port)}/{at.protocol}"
