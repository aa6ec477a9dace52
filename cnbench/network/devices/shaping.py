"""A slower underlay, for results that are known beforehand."""

from __future__ import annotations

from cnbench.core.errors import UnsupportedError
from cnbench.network.devices import links
from cnbench.network.topology import Topology
from cnbench.network.underlay import DEVICE

# Two full frames of the largest MTU, so that the bucket never holds a frame back for its size.
_BURST = 20_000
# How long a frame may wait for its turn, in seconds: none is dropped in a closed loop.
_LONGEST_WAIT = 1.0


def limit_rate(topology: Topology, rate: float) -> None:
    """Let each node send at most ``rate`` bytes per second, Ethernet headers counted (tbf)."""
    limit = round(rate * _LONGEST_WAIT) + _BURST
    _shape(topology, "tbf", rate=round(rate), burst=_BURST, limit=limit)


def delay(topology: Topology, seconds: float) -> None:
    """Delay each frame that a node sends by ``seconds`` (netem)."""
    _shape(topology, "netem", delay=round(seconds * 1e6), limit=100_000)


def _shape(topology: Topology, kind: str, **settings: int) -> None:
    from pyroute2 import NetlinkError

    for node in topology.nodes:
        with links.link(node.namespace, DEVICE) as (route, index):
            try:
                route.tc("add", kind, index, handle=0x10000, **settings)
            except NetlinkError as error:
                raise UnsupportedError(
                    f"the queueing discipline {kind} cannot be set: {error}",
                    "use the guest lab: --lab guest",
                ) from error
