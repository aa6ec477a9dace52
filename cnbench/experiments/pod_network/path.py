"""Two pods that reach each other by a backend."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from cnbench.core.errors import UnsupportedError
from cnbench.core.parameter import Point
from cnbench.lab.host import Lab
from cnbench.network.backend import Backend, Encapsulation, backend_called
from cnbench.network.bird import announced_by_bird
from cnbench.network.devices import shaping
from cnbench.network.neighbours import trust_arp
from cnbench.network.routes import acknowledge_at_once
from cnbench.network.topology import NetworkNode, Topology, open_topology
from cnbench.probes.traffic import End

# How much smaller than the underlay's the pods' MTU is where all backends have the same: WireGuard
# over IPv6 is the largest overhead there is, and its devices are born with this MTU.
_ROOM_FOR_ANY = 80


@dataclass(frozen=True)
class PodPath:
    """Two pods that reach each other, in one direction.

    Attributes:
        topology: where they are.
        backend: what joins them.
        client: the node whose pod begins.
        server: the node whose pod is sent to.
    """

    topology: Topology
    backend: Backend
    client: NetworkNode
    server: NetworkNode

    @property
    def ends(self) -> tuple[End, End]:
        """The client's pod and the server's."""
        near, far = (End(node.pod, node.pod_address) for node in (self.client, self.server))
        return near, far

    @property
    def encapsulation(self) -> Encapsulation:
        """What packets wear on the underlay."""
        return self.backend.encapsulation(len(self.topology.underlay.routers))


@contextlib.contextmanager
def open_path(params: Point, lab: Lab) -> Iterator[PodPath]:
    """The nodes, their pods and the backend, as ``params`` has them."""
    backend = backend_called(params.text("backend"))
    hops, mtu = params.whole("hops"), params.whole("mtu")
    room = backend.encapsulation(hops).room if params["pod_mtu"] == "native" else _ROOM_FOR_ANY
    with contextlib.ExitStack() as stack:
        topology = stack.enter_context(
            open_topology(
                lab,
                underlay=params.text("underlay"),
                hops=hops,
                mtu=mtu - room if backend.attachment == "none" else mtu,
                attachment=backend.attachment or params.text("pods"),
                pod_mtu=mtu - room,
            )
        )
        if params["routing"] == "bird":
            stack.enter_context(announced_by_bird(lab, topology))
        else:
            backend.install(topology)
        if params["offloads"] == "off":
            _switch_offloads_off(topology, backend)
        if params["rate"]:
            shaping.limit_rate(topology, params.number("rate"))
        if params["delay"]:
            shaping.delay(topology, params.number("delay"))
        for namespace in topology.namespaces:
            trust_arp(namespace)
        if _acknowledgements_matter(params):
            for node, peer in topology.pairs:
                acknowledge_at_once(node.pod, peer.pod_address)
        client, server = topology.nodes
        if params["direction"] == "reverse":
            client, server = server, client
        yield PodPath(topology, backend, client, server)


def _switch_offloads_off(topology: Topology, backend: Backend) -> None:
    topology.switch_offloads_off()
    left_on = topology.offloads_on()
    if left_on:
        raise UnsupportedError(
            f"{backend.name} keeps offloads on: {', '.join(left_on)}", "use offloads=on"
        )


def _acknowledgements_matter(params: Point) -> bool:
    """Whether a chance decides what a message costs.

    That TCP delays acknowledgements until the receiver reads is decided once, by a timer that fired
    while the loop was preempted, and doubles the cost of a large buffer from then on. Cut into
    packets, on the other hand, each would be acknowledged by itself, which real TCP does not do.
    """
    stream = params["traffic"] == "tcp-stream" and params["load"] == "loop"
    return stream and params["offloads"] == "on"
