"""container-network for asv: bytes and messages to a container, by Docker's network mode."""

from typing import ClassVar

from cnbench.asv.suite import Measured, Suite, tracked

_MODES = ("bridge", "host")


class ContainerStream(Suite):
    """One TCP stream; throughput is exported as its reciprocal."""

    experiment = "container-network"
    counted = True
    axes: ClassVar = {"mode": _MODES}
    fixed: ClassVar = {"way": "outside", "traffic": "tcp-stream", "messages": "300"}

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 300

    track_cpu_cost = tracked("container-network", "cpu_cost")


class ContainerMessages(Suite):
    """A small message and its answer on an open TCP connection."""

    experiment = "container-network"
    counted = True
    axes: ClassVar = {"mode": _MODES}
    fixed: ClassVar = {"way": "outside", "traffic": "tcp-rr"}

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 300

    track_latency = tracked("container-network", "latency")
