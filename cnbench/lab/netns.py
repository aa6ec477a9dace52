"""Network namespaces of a run's own.

They have no name in the file system: an open descriptor is all that keeps one alive, so the kernel
removes it, and every interface, route and rule in it, at any death of the run. (`ip netns add`
would leave a bind mount behind and make /run/netns a mount of its own.)
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.lab import commands, libc

_THIS_THREADS = "/proc/thread-self/ns/net"
# RT_TABLE_LOCAL of linux/rtnetlink.h: the table that is looked up first.
_LOCAL_TABLE = 255
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1  # linux/sockios.h, linux/if.h


class NetworkNamespace:
    """A network namespace that is alive until it is closed. Use ``open_netns``."""

    def __init__(self, name: str, descriptor: int, environment: Mapping[str, str]) -> None:
        self.name = name
        self.descriptor = descriptor
        self._environment = environment

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Have the calling thread be inside; sockets and processes made meanwhile stay inside."""
        home = os.open(_THIS_THREADS, os.O_RDONLY | os.O_CLOEXEC)
        try:
            libc.setns(self.descriptor, libc.CLONE_NEWNET)
            try:
                yield
            finally:
                libc.setns(home, libc.CLONE_NEWNET)
        finally:
            os.close(home)

    def run(
        self,
        argv: Sequence[str],
        input: str | Path | Iterable[str] | None = None,
        check: bool = True,
        timeout: float = 600,
    ) -> subprocess.CompletedProcess[str]:
        """Run a tool inside, to its end; errors as ``commands.run``."""
        with self.entered():
            return commands.run(
                argv, input=input, check=check, timeout=timeout, environment=self._environment
            )

    @contextlib.contextmanager
    def netlink(self) -> Iterator[Any]:
        """A pyroute2 ``IPRoute`` whose socket is inside."""
        from pyroute2 import IPRoute

        with self.entered():
            route = IPRoute()
        try:
            yield route
        finally:
            route.close()

    def sysctl(self, name: str, value: object | None = None) -> str:
        """Set ``net.*`` inside (if ``value`` is given) and read it back.

        A dot in a device's name is written as a slash, as for sysctl(8): ``flannel/1``.

        Raises:
            CnbenchError: the kernel has no such setting, or took another value.
        """
        path = Path("/proc/sys", *(part.replace("/", ".") for part in name.split(".")))
        try:
            with self.entered():
                if value is not None:
                    path.write_text(str(value))
                found = path.read_text().strip()
        except OSError as error:
            raise CnbenchError(f"sysctl {name}={value} in {self.name}: {error.strerror}") from error
        if value is not None and found != str(value):
            raise CnbenchError(f"sysctl {name} in {self.name} is {found} after setting {value}")
        return found


@contextlib.contextmanager
def open_netns(name: str, environment: Mapping[str, str]) -> Iterator[NetworkNamespace]:
    """A new namespace with loopback up; ``environment`` is added to what is run inside.

    Raises:
        UnsupportedError: this user or this kernel cannot make one.
    """
    home = os.open(_THIS_THREADS, os.O_RDONLY | os.O_CLOEXEC)
    try:
        libc.unshare(libc.CLONE_NEWNET)
    except OSError as error:
        os.close(home)
        raise UnsupportedError(
            f"a network namespace cannot be made: {error.strerror}",
            "run as root, or in the guest lab: --lab guest",
        ) from error
    try:
        descriptor = os.open(_THIS_THREADS, os.O_RDONLY | os.O_CLOEXEC)
    finally:
        libc.setns(home, libc.CLONE_NEWNET)
        os.close(home)
    try:
        namespace = NetworkNamespace(name, descriptor, environment)
        _raise_loopback(namespace)
        yield namespace
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def current_netns(name: str) -> Iterator[NetworkNamespace]:
    """The namespace that this thread is in, which is nobody's to close."""
    descriptor = os.open(_THIS_THREADS, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield NetworkNamespace(name, descriptor, {})
    finally:
        os.close(descriptor)


def _raise_loopback(namespace: NetworkNamespace) -> None:
    """By ioctl (netdevice(7)): whoever only asks for a namespace need not wait for pyroute2."""
    interface_up = struct.pack("16sh22x", b"lo", _IFF_UP)
    try:
        with namespace.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, _SIOCSIFFLAGS, interface_up)
    except PermissionError as error:
        raise UnsupportedError(
            "a network namespace can be made, but nothing in it: CAP_NET_ADMIN is missing",
            "run with that capability, or in the guest lab: --lab guest",
        ) from error


def join(one: NetworkNamespace, interface: str, other: NetworkNamespace, peer: str) -> None:
    """Join two namespaces by a veth pair, both ends up; it goes with either namespace.

    Raises:
        UnsupportedError: the kernel has no veth.
    """
    from pyroute2 import NetlinkError

    with one.netlink() as here, other.netlink() as there:
        try:
            here.link(
                "add",
                ifname=interface,
                kind="veth",
                peer={"ifname": peer, "net_ns_fd": other.descriptor},
            )
        except NetlinkError as error:
            raise UnsupportedError(
                f"a veth pair cannot be made: {error}", "use a kernel with veth: --lab guest"
            ) from error
        for route, name in ((here, interface), (there, peer)):
            route.link("set", index=route.link_lookup(ifname=name)[0], state="up")


def address(namespace: NetworkNamespace, interface: str, cidr: str) -> None:
    """Give ``interface`` the address ``cidr`` (``10.0.0.1/24``)."""
    host, _, prefix = cidr.partition("/")
    with namespace.netlink() as route:
        index = route.link_lookup(ifname=interface)[0]
        route.addr("add", index=index, address=host, prefixlen=int(prefix))


def route_via(namespace: NetworkNamespace, destination: str, gateway: str) -> None:
    """Route ``destination`` (``default`` or a network) by ``gateway``."""
    with namespace.netlink() as route:
        route.route("add", dst=destination, gateway=gateway)


def local_route(namespace: NetworkNamespace, network: str) -> None:
    """Have ``namespace`` answer on every address of ``network`` (what Linux calls AnyIP)."""
    with namespace.netlink() as route:
        loopback = route.link_lookup(ifname="lo")[0]
        route.route(
            "add", dst=network, oif=loopback, type="local", table=_LOCAL_TABLE, scope="host"
        )
