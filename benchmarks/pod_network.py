"""pod-network for asv: bytes and messages between pods on two nodes, by backend and by none."""

from typing import ClassVar

from cnbench.asv.suite import Measured, Suite, tracked

_BACKENDS = ("none", "host-gw", "vxlan", "ipip")


class PodStream(Suite):
    """One TCP stream; throughput is exported as its reciprocal."""

    experiment = "pod-network"
    counted = True
    axes: ClassVar = {"backend": _BACKENDS, "offloads": ("on",)}
    fixed: ClassVar = {"traffic": "tcp-stream", "messages": "300"}

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 300

    track_cpu_cost = tracked("pod-network", "cpu_cost")
    track_throughput = tracked("pod-network", "throughput")


class PodMessages(Suite):
    """A small message and its answer on an open TCP connection."""

    experiment = "pod-network"
    counted = True
    axes: ClassVar = {"backend": _BACKENDS}
    fixed: ClassVar = {"traffic": "tcp-rr"}

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 300

    track_latency = tracked("pod-network", "latency")
