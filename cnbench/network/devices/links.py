"""Network devices inside a namespace: made, set and counted over netlink."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnbench.core.counted import Counted
from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.lab.netns import NetworkNamespace

# EOPNOTSUPP of asm-generic/errno.h: what rtnetlink answers for a kind of device it does not know.
_NO_SUCH_KIND = 95
# Where each direction's figures begin in a line of /proc/net/dev.
_FIRST_RECEIVED, _FIRST_SENT = 0, 8


@dataclass(frozen=True)
class LinkCounters(Counted):
    """What a device has received, or sent; bytes with the Ethernet header where it has one."""

    packets: int
    bytes: int
    dropped: int


@contextlib.contextmanager
def link(namespace: NetworkNamespace, name: str) -> Iterator[tuple[Any, int]]:
    """A netlink socket inside ``namespace``, and the index of its device ``name``.

    Raises:
        CnbenchError: there is no such device.
    """
    with namespace.netlink() as route:
        yield route, _index(namespace, route, name)


def _index(namespace: NetworkNamespace, route: Any, name: str) -> int:
    found = route.link_lookup(ifname=name)
    if not found:
        raise CnbenchError(f"{namespace.name} has no device {name}")
    return int(found[0])


def exists(namespace: NetworkNamespace, name: str) -> bool:
    """Whether ``namespace`` has a device called ``name``."""
    with namespace.netlink() as route:
        return bool(route.link_lookup(ifname=name))


def make(namespace: NetworkNamespace, name: str, kind: str, **attributes: object) -> None:
    """Make a device and set it up; ``attributes`` as pyroute2 names them.

    Raises:
        UnsupportedError: the kernel has no such kind of device.
        CnbenchError: it has, and refuses this one.
    """
    from pyroute2 import NetlinkError

    with namespace.netlink() as route:
        try:
            route.link("add", ifname=name, kind=kind, **attributes)
        except NetlinkError as error:
            if error.code == _NO_SUCH_KIND:
                raise UnsupportedError(
                    f"this kernel has no {kind} devices", "use the guest lab: --lab guest"
                ) from error
            raise CnbenchError(f"the {kind} device {name} in {namespace.name}: {error}") from error
        route.link("set", index=_index(namespace, route, name), state="up")


def remove(namespace: NetworkNamespace, name: str) -> None:
    """Remove a device, and a pair's other end; raises CnbenchError if there is none."""
    with link(namespace, name) as (route, index):
        route.link("del", index=index)


def set_link(namespace: NetworkNamespace, name: str, **attributes: object) -> None:
    """Set ``attributes`` (``mtu``, ``address``, ``state``) of a device, as pyroute2 names them."""
    with link(namespace, name) as (route, index):
        route.link("set", index=index, **attributes)


def enslave(namespace: NetworkNamespace, name: str, bridge: str) -> None:
    """Make ``name`` a port of ``bridge``."""
    with link(namespace, bridge) as (route, bridge_index):
        route.link("set", index=_index(namespace, route, name), master=bridge_index)


def names(namespace: NetworkNamespace) -> list[str]:
    """The devices of ``namespace``, loopback and idle fallback tunnels left out."""
    with namespace.netlink() as route:
        return [
            found.get_attr("IFLA_IFNAME")
            for found in route.get_links()
            if found.get_attr("IFLA_IFNAME") != "lo" and found["flags"] & 1
        ]


def mac(namespace: NetworkNamespace, name: str) -> str:
    """The hardware address of a device."""
    with link(namespace, name) as (route, index):
        return str(route.get_links(index)[0].get_attr("IFLA_ADDRESS"))


def mtu(namespace: NetworkNamespace, name: str) -> int:
    """The MTU of a device, in bytes."""
    with link(namespace, name) as (route, index):
        return int(route.get_links(index)[0].get_attr("IFLA_MTU"))


def received(namespace: NetworkNamespace, name: str) -> LinkCounters:
    """What the device has received since it was made.

    Read from /proc/net/dev (proc(5)), which takes a tenth of the time that netlink does.

    Raises:
        CnbenchError: there is no such device.
    """
    return _counted(namespace, name, _FIRST_RECEIVED)


def sent(namespace: NetworkNamespace, name: str) -> LinkCounters:
    """What the device has sent since it was made; otherwise as ``received``."""
    return _counted(namespace, name, _FIRST_SENT)


def _counted(namespace: NetworkNamespace, name: str, first: int) -> LinkCounters:
    with namespace.entered():
        text = Path("/proc/thread-self/net/dev").read_text()
    for line in text.splitlines():
        device, colon, figures = line.partition(":")
        if colon and device.strip() == name:
            length, packets, _, dropped = map(int, figures.split()[first : first + 4])
            return LinkCounters(packets, length, dropped)
    raise CnbenchError(f"{namespace.name} has no device {name}")
