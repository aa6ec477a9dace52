"""BIRD in the nodes, peering by BGP as Calico's node-to-node mesh does.

Facts from Calico's BIRD templates (confd/etc/calico/confd/templates): one autonomous system 64512
for all nodes, routes of the pod networks from a static protocol, exported to the kernel.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import CnbenchError
from cnbench.lab.host import Lab
from cnbench.lab.processes import check_alive, running
from cnbench.lab.waiting import wait_until
from cnbench.network.routes import read_route
from cnbench.network.topology import NetworkNode, Topology
from cnbench.network.underlay import DEVICE

_AUTONOMOUS_SYSTEM = 64512
_PATIENCE = 30.0
_NOT_READY = "BIRD was not ready"
# The protocols of the configuration, as birdc calls them.
_PODS, _PEER = "pods", "peer"


@dataclass(frozen=True)
class Bird:
    """A running daemon; commands go through its control socket."""

    name: str
    control: Path

    def announce(self) -> None:
        """Have it announce its routes."""
        self._command(f"enable {_PODS}")

    def withdraw(self) -> None:
        """Have it withdraw them."""
        self._command(f"disable {_PODS}")

    def established(self) -> bool:
        """Whether its peer and it have a session."""
        return "Established" in self._command(f"show protocols {_PEER}")

    def _command(self, line: str) -> str:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            control.settimeout(_PATIENCE)
            control.connect(str(self.control))
            with control.makefile("rw") as conversation:
                _read_reply(conversation.readline)
                conversation.write(f"{line}\n")
                conversation.flush()
                reply = _read_reply(conversation.readline)
        # Codes from 8000 on are errors (BIRD's reply codes, doc/reply_codes).
        if reply.rpartition("\n")[2][:1] in ("8", "9"):
            raise CnbenchError(f"BIRD of {self.name} refuses '{line}': {reply}")
        return reply


def _read_reply(next_line: Callable[[], str]) -> str:
    """The lines of a reply; the last has a space behind its four digits, others a hyphen."""
    lines = []
    while True:
        line = next_line()
        if not line:
            raise CnbenchError("BIRD closed its control socket")
        lines.append(line.rstrip("\n"))
        if line[:4].isdigit() and line[4:5] == " ":
            return "\n".join(lines)


def configuration(node: NetworkNode, peer: NetworkNode, announced: Sequence[str]) -> str:
    """bird.conf of ``node``; the networks ``announced`` are announced only when told to."""
    routes = "\n".join(f"  route {network} blackhole;" for network in announced)
    return f"""router id {node.address};
protocol device {{ }}
protocol direct {{ ipv4; interface "{DEVICE}"; }}
protocol kernel {{ ipv4 {{ import none; export where source = RTS_BGP; }}; }}
protocol static {_PODS} {{
  disabled;
  ipv4;
{routes}
}}
protocol bgp {_PEER} {{
  local {node.address} as {_AUTONOMOUS_SYSTEM};
  neighbor {peer.address} as {_AUTONOMOUS_SYSTEM};
  connect delay time 1;
  ipv4 {{ import all; export where source = RTS_STATIC; next hop self; }};
}}
"""


@contextlib.contextmanager
def announced_by_bird(lab: Lab, topology: Topology) -> Iterator[None]:
    """A daemon in each node that has announced the node's pods, for as long as it lasts.

    Raises:
        UnsupportedError: BIRD is not installed.
        CnbenchError: a node has not learnt of the other's pods after half a minute.
    """
    networks = [[node.pod_network] for node in topology.nodes]
    with open_birds(lab, topology, networks) as birds:
        for bird in birds:
            bird.announce()
        wait_until(
            lambda: all(
                read_route(node.namespace, peer.pod_network) for node, peer in topology.pairs
            ),
            _NOT_READY,
            within=_PATIENCE,
            every=0.02,
        )
        yield


@contextlib.contextmanager
def open_birds(
    lab: Lab, topology: Topology, announced: Sequence[Sequence[str]]
) -> Iterator[tuple[Bird, Bird]]:
    """A daemon in each node, with a session between them; ``announced`` has networks for each.

    Raises:
        UnsupportedError: BIRD is not installed.
        CnbenchError: there is no session after half a minute.
    """
    with contextlib.ExitStack() as stack:
        birds = []
        for (node, peer), networks in zip(topology.pairs, announced, strict=True):
            folder = Path(
                stack.enter_context(
                    tempfile.TemporaryDirectory(dir=lab.folder, prefix=node.namespace.name)
                )
            )
            settings, control = folder / "bird.conf", folder / "bird.ctl"
            settings.write_text(configuration(node, peer, networks))
            argv = ["bird", "-f", "-c", str(settings), "-s", str(control)]
            with node.namespace.entered():
                process = stack.enter_context(running(argv))
            birds.append(Bird(node.namespace.name, control))
            wait_until(
                control.exists,
                _NOT_READY,
                within=_PATIENCE,
                meanwhile=functools.partial(check_alive, argv, process),
            )
        first, second = birds
        wait_until(
            lambda: first.established() and second.established(),
            _NOT_READY,
            within=_PATIENCE,
            every=0.02,
        )
        yield first, second
