"""A virtual server of a probe's own, whose real servers are addresses behind a silent device."""

from __future__ import annotations

import contextlib
import socket
from collections import Counter
from collections.abc import Iterator, Sequence

from cnbench.behaviours.network.quiet import DEVICE, open_quiet_device
from cnbench.core.errors import UnsupportedError
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace, address

ADDRESS, PORT = "10.96.0.1", 80
SERVERS = ("192.0.2.11", "192.0.2.12", "192.0.2.13")
_CLIENT_PORTS = 10000


class VirtualServer:
    """Takes datagrams, and gives each flow to a real server. Use ``open_virtual_server``."""

    def __init__(self, node: NetworkNamespace) -> None:
        self.node = node
        self._sent = 0

    def set(self, *options: str) -> None:
        """``ipvsadm`` with ``options``."""
        self.node.run(["ipvsadm", *options])

    def edit(self, server: str, weight: int) -> None:
        """Give a real server another weight."""
        self.set("-e", "-u", f"{ADDRESS}:{PORT}", "-r", f"{server}:{PORT}", "-m", "-w", str(weight))

    def send(self, flows: int, first: int | None = None) -> None:
        """Begin so many flows, each from a source port of its own (from ``first`` on)."""
        begin = _CLIENT_PORTS + self._sent if first is None else first
        self._sent += flows
        with self.node.entered():
            for port in range(begin, begin + flows):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                    client.bind(("192.0.2.1", port))
                    with contextlib.suppress(OSError):  # who has no server left is refused
                        client.sendto(b"x", (ADDRESS, PORT))

    def connections(self) -> list[list[str]]:
        """The connections it knows, as ``ipvsadm -L -c -n`` lists them, by words."""
        lines = self.node.run(["ipvsadm", "-L", "-c", "-n"]).stdout.splitlines()
        return [line.split() for line in lines if line.startswith("UDP")]

    def received(self) -> Counter[str]:
        """How many flows each real server was given."""
        return Counter(
            words[-1].partition(":")[0]
            for words in self.connections()
            if not words[-3].endswith(":0")  # what is remembered of a client, and no flow
        )


@contextlib.contextmanager
def open_virtual_server(
    lab: Lab, scheduler: str = "rr", servers: Sequence[str] = SERVERS, options: Sequence[str] = ()
) -> Iterator[VirtualServer]:
    """A virtual UDP server of ``servers``, added in their order.

    Raises:
        UnsupportedError: this kernel has no IPVS.
    """
    with lab.network_namespace("node") as node, open_quiet_device(lab, node, "192.0.2.1/24"):
        address(node, DEVICE, f"{ADDRESS}/32")
        made = node.run(
            ["ipvsadm", "-A", "-u", f"{ADDRESS}:{PORT}", "-s", scheduler, *options], check=False
        )
        if made.returncode:
            raise UnsupportedError(
                f"IPVS cannot be used: {made.stderr.strip()}", "--kernels trixie"
            )
        virtual = VirtualServer(node)
        for server in servers:
            virtual.set("-a", "-u", f"{ADDRESS}:{PORT}", "-r", f"{server}:{PORT}", "-m")
        yield virtual
