"""container-network: what does each of Docker's four network modes cost?

The same closed loop as pod-network's, within one machine and from another one into a container. In
the modes host, container and none, traffic between containers is loopback traffic, since they share
a namespace (with none there is nobody else to talk to); with bridge it passes docker0. From outside
a bridge's container is reached by its published port: DNAT, conntrack and the FORWARD chain.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cnbench.core.errors import CommandError, UnsupportedError
from cnbench.core.experiment import Experiment, everywhere
from cnbench.core.parameter import Parameter, Point, Value
from cnbench.core.proof import Check, Proof, equal
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace
from cnbench.lab.refusal import asked_once
from cnbench.network import docker
from cnbench.network.devices import links
from cnbench.network.docker import DockerHost, open_docker_host
from cnbench.network.routes import acknowledge_at_once
from cnbench.probes.traffic import COSTS, MESSAGES, End, Traffic, costs

# Where traffic may be counted: loopback, the host's own device, and the container's, on docker0.
_LO, _ETH, _VETH = "loopback", "eth0 of the host", "eth0 of the container"
_TRAFFIC = ("tcp-stream", "tcp-rr", "udp-rr", "tcp-crr")


@dataclass
class ModeSubject:
    """Messages to a container, by the mode's way."""

    docker: DockerHost
    ends: tuple[End, End]
    way: str
    mode: str
    traffic: Traffic
    clock: Clock
    messages: int
    size: int
    delivered: int = 0

    def __post_init__(self) -> None:
        self._before = self._carried()

    def sample(self) -> Mapping[str, float]:
        """Costs and latencies of ``messages`` messages over new connections."""
        with self.traffic.connected() as loop:
            batch = loop.run(self.messages)
        self.delivered += self.messages * self.size
        return costs(self.traffic.kind, batch, self.clock)

    @property
    def _expected_on(self) -> set[str]:
        """The devices that the mode's traffic passes."""
        if self.way == "inside":
            return {_VETH} if self.mode == "bridge" else {_LO}
        return {_ETH} if self.mode == "host" else {_ETH, _VETH}

    def _carried(self) -> dict[str, int]:
        """Bytes received by each place that traffic may pass on its way to the server."""
        server, host = self.ends[1].namespace, self.docker.host
        plugged_in = server is not host and links.exists(server, "eth0")
        return {
            _LO: links.received(server, "lo").bytes,
            _ETH: links.received(host, "eth0").bytes,
            _VETH: links.received(server, "eth0").bytes if plugged_in else 0,
        }

    def proof(self) -> Proof:
        """The devices that counted the bytes, whose namespace it was, and who translated."""
        moved = {place: count - self._before[place] for place, count in self._carried().items()}
        # A device that only acknowledgements pass counts a small part of what was delivered.
        busy = {place for place, count in moved.items() if count >= self.delivered}
        checks = [
            Check(
                "devices that received at least the bytes delivered",
                ", ".join(sorted(self._expected_on)),
                ", ".join(f"{place}: {count} B" for place, count in moved.items()),
                busy >= self._expected_on and (_LO in busy) == (_LO in self._expected_on),
            ),
            self._check_namespace(),
        ]
        if self.way == "outside" and self.mode != "host":
            counted = docker.translated(self.docker.host)
            checks.append(
                Check(
                    "connections that the published port's rule translated",
                    "at least 1",
                    str(counted),
                    counted > 0,
                )
            )
        return Proof(tuple(checks))

    def _check_namespace(self) -> Check:
        server = self.ends[1].namespace
        shared = {
            "host": server is self.docker.host,
            "container": server is self.docker.first.namespace,
            "bridge": server not in (self.docker.host, self.docker.first.namespace),
            "none": not links.names(server),
        }
        claim = {
            "host": "the container is in the host's namespace",
            "container": "the container is in the other container's namespace",
            "bridge": "the container is in a namespace of its own",
            "none": "the container has no device but loopback",
        }
        return equal(claim[self.mode], True, shared[self.mode])


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[ModeSubject]:
    """Two containers in the mode, and the traffic to the second."""
    mode, way, kind = params.text("mode"), params.text("way"), params.text("traffic")
    size = params.whole("size")
    with open_docker_host(lab, mode) as machine:
        ends = _ends(machine, mode, way)
        if kind == "tcp-stream":
            acknowledge_at_once(ends[0].namespace, ends[1].target(docker.PORT)[0])
            acknowledge_at_once(ends[1].namespace, ends[0].address)
        traffic = Traffic(kind, *ends, size=size, flows=1, clock=lab.clock, port=docker.PORT)
        yield ModeSubject(
            machine, ends, way, mode, traffic, lab.clock, params.whole("messages"), size
        )


def _ends(machine: DockerHost, mode: str, way: str) -> tuple[End, End]:
    first, second = machine.first, machine.second
    if way == "inside":
        return End(first.namespace, first.address), End(second.namespace, second.address)
    client = End(machine.outside, docker.OUTSIDE)
    if mode == "host":
        return client, End(machine.host, docker.HOST)
    return client, End(second.namespace, second.address, known_as=docker.HOST)


def nonsense(params: Point) -> str:
    """Why a point is left out, or the empty text."""
    if params["mode"] == "none" and params["way"] == "outside":
        return "a container without a network cannot be reached from outside"
    return ""


def _require(params: Point, lab: Lab) -> None:
    lab.require_namespaces()
    if params["mode"] in ("bridge", "container"):
        _require_rules(lab)


@asked_once
def _require_rules(lab: Lab) -> None:
    """Load Docker's rules in a namespace made for that."""
    try:
        with lab.network_namespace("trial") as trial:
            _load_rules(trial)
    except CommandError as error:
        raise UnsupportedError(
            f"this kernel cannot do Docker's rules: {error}", "use the guest lab: --lab guest"
        ) from error


def _load_rules(namespace: NetworkNamespace) -> None:
    namespace.run(["iptables-restore", "--noflush"], input=docker.rules("172.17.0.2", docker.PORT))


def _sizes(so_far: Point) -> tuple[Value, ...]:
    return (65536,) if so_far["traffic"] == "tcp-stream" else (1,)


EXPERIMENT = Experiment(
    name="container-network",
    question="What does traffic to a container cost in each of Docker's network modes?",
    parameters=(
        Parameter(
            "mode",
            "Docker's network mode",
            quick=docker.MODES,
            full=docker.MODES,
            choices=docker.MODES,
        ),
        Parameter(
            "way",
            "between containers of one machine, or from another machine",
            quick=("inside", "outside"),
            full=("inside", "outside"),
            choices=("inside", "outside"),
        ),
        Parameter(
            "traffic",
            "what is sent: streams go one way, rr is answered, crr has a connection for each",
            quick=("tcp-stream", "tcp-rr"),
            full=_TRAFFIC,
            choices=_TRAFFIC,
        ),
        Parameter(
            "size",
            "bytes of a message",
            quick=_sizes,
            full=_sizes,
            unit="B",
            whole=True,
            minimum=1,
            maximum=65536,
        ),
        MESSAGES,
    ),
    metrics=COSTS,
    setups=everywhere(4),
    variant="mode",
    subject=open_subject,
    require=_require,
    nonsense=nonsense,
    tools=("iptables",),
    share=0.5,
    caveat="No NIC: all devices are veth, which hand over buffers of up to 64 KiB uncut.",
)
