"""service-routing for asv: the first and the last service of few and many, and past all rules."""

from typing import ClassVar

from benchmarks.suite import Measured, Suite, tracked


class ServiceRouting(Suite):
    """The time to set up a TCP connection through a Service."""

    experiment = "service-routing"
    axes: ClassVar = {
        "mode": ("iptables", "nftables"),
        "services": ("100", "1000", "5000"),
        "position": ("first", "last", "none"),
    }

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 300

    track_connect = tracked("service-routing", "connect")
