"""route-convergence: how long after a node announces its pods does the first packet reach them?

Two nodes with BIRD and a BGP session, as Calico has them. The second announces a number of pod
networks, its own last; the first node's pod sends small datagrams all the while, until one arrives.
The control is the same routes given to the kernel by ``ip -batch``, without any daemon.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal
from cnbench.lab import commands
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace
from cnbench.lab.waiting import wait_until
from cnbench.network.bird import open_birds
from cnbench.network.routes import gateway_to
from cnbench.network.topology import Topology, open_topology

_PORT = 5001
# How often a datagram is sent: what convergence is resolved to.
_EVERY = 100e-6
_PATIENCE = 30.0


@dataclass
class ConvergenceSubject:
    """Routes that can be announced and withdrawn, and a datagram that needs one of them."""

    topology: Topology
    routes: int
    announce: Callable[[], None]
    withdraw: Callable[[], None]
    sender: socket.socket
    receiver: socket.socket
    clock: Clock
    _early: int = 0
    _gateway: str = ""
    _installed: int = 0

    def __post_init__(self) -> None:
        self._without = self._in_kernel()

    def sample(self) -> Mapping[str, float]:
        """From the announcement to the first packet, and to the last route in the kernel."""
        self._early += self._arrives()
        began = self.clock.ticks()
        self.announce()
        self._wait(self._arrives)
        first = self.clock.ticks() - began
        self._wait(lambda: self._in_kernel() - self._without >= self.routes)
        last = self.clock.ticks() - began
        self._look()
        self.withdraw()
        self._wait(lambda: self._in_kernel() == self._without)
        self._drain()
        return {"convergence": self.clock.units(first), "complete": self.clock.units(last)}

    def _arrives(self) -> bool:
        """Send a datagram, and see whether one has arrived."""
        # Without a route the node answers with an ICMP error, which the next call reports.
        with contextlib.suppress(OSError):
            self.sender.send(b"cnbench")
        time.sleep(_EVERY)
        return self._drain()

    def _drain(self) -> bool:
        arrived = False
        with contextlib.suppress(BlockingIOError):
            while self.receiver.recv(64):
                arrived = True
        return arrived

    def _look(self) -> None:
        near, far = self.topology.nodes
        self._gateway = gateway_to(near.namespace, far.pod_address)
        self._installed = self._in_kernel() - self._without

    def _in_kernel(self) -> int:
        with self.topology.nodes[0].namespace.entered():
            return Path("/proc/thread-self/net/route").read_text().count("\n")

    @staticmethod
    def _wait(happened: Callable[[], bool]) -> None:
        # Without a rest: what is waited for is what is timed.
        wait_until(happened, "the routes had not come or gone", within=_PATIENCE, every=0)

    def proof(self) -> Proof:
        """No packet got through before; the route and their number were the announced ones."""
        return Proof(
            (
                equal("datagrams that arrived before the announcement", 0, self._early),
                equal(
                    "gateway to the other pod, asked of the kernel after the announcement",
                    self.topology.nodes[1].address,
                    self._gateway,
                ),
                equal("routes that the kernel then had more", self.routes, self._installed),
            )
        )


def pod_networks(count: int, last: str) -> list[str]:
    """``count`` networks of 256 addresses from 10.64.0.0 on, ``last`` in the end."""
    return [f"10.{64 + n // 256}.{n % 256}.0/24" for n in range(count - 1)] + [last]


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[ConvergenceSubject]:
    """Two nodes, the routes ready to be announced."""
    count = params.whole("routes")
    with contextlib.ExitStack() as stack:
        topology = stack.enter_context(
            open_topology(lab, underlay="veth", hops=0, mtu=1500, attachment="bridge", pod_mtu=1500)
        )
        near, far = topology.nodes
        networks = pod_networks(count, far.pod_network)
        if params["routing"] == "bird":
            _, announcer = stack.enter_context(open_birds(lab, topology, ([], networks)))
            announce, withdraw = announcer.announce, announcer.withdraw
        else:
            announce = _batch(near.namespace, "add", networks, far.address)
            withdraw = _batch(near.namespace, "del", networks, far.address)
        with far.pod.entered():
            receiver = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        receiver.bind((far.pod_address, _PORT))
        receiver.setblocking(False)
        with near.pod.entered():
            sender = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sender.connect((far.pod_address, _PORT))
        yield ConvergenceSubject(topology, count, announce, withdraw, sender, receiver, lab.clock)


def _batch(
    node: NetworkNamespace, verb: str, networks: list[str], gateway: str
) -> Callable[[], None]:
    lines = "".join(f"route {verb} {network} via {gateway}\n" for network in networks)

    def run() -> None:
        node.run(["ip", "-batch", "-"], input=lines)

    return run


def _require(params: Point, lab: Lab) -> None:
    lab.require_namespaces()
    commands.require("bird" if params["routing"] == "bird" else "ip")
    if lab.clock.name == "instructions":
        raise UnsupportedError(
            "routes converge in daemons that wait for timers, which take no instructions",
            "use --clock wall",
        )


EXPERIMENT = Experiment(
    name="route-convergence",
    question="How long after a node announces its pods' routes does the first packet get through?",
    parameters=(
        Parameter(
            "routing",
            "who installs the routes: BIRD by BGP, or ip -batch as the control",
            quick=("bird", "static"),
            full=("bird", "static"),
            choices=("bird", "static"),
        ),
        Parameter(
            "routes",
            "networks announced at once, the one that is probed last",
            quick=(1, 1000),
            full=(1, 10, 100, 1000, 10_000),
            whole=True,
            minimum=1,
            maximum=16_384,
        ),
    ),
    metrics=(
        Metric(
            "convergence",
            "s",
            "lower",
            "ratio",
            "from announcement to first packet through",
            elapsed=True,
        ),
        Metric(
            "complete",
            "s",
            "lower",
            "ratio",
            "from announcement to last route in the kernel",
            elapsed=True,
        ),
    ),
    variant="routing",
    subject=open_subject,
    require=_require,
    tools=("bird", "ip"),
)
