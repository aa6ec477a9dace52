"""service-routing for asv: what a connection costs, and what programming the node does."""

from typing import ClassVar

from cnbench.asv.suite import Measured, Suite, tracked

_MODES = ("iptables", "nftables", "ipvs")


class ServiceConnect(Suite):
    """The first and the last of the services, and the endpoint itself, past all rules."""

    experiment = "service-routing"
    counted = True
    axes: ClassVar = {
        "mode": _MODES,
        "services": ("100", "1000"),
        "position": ("first", "last", "none"),
    }
    fixed: ClassVar = {"measure": "connect", "probes": "100"}

    def setup_cache(self) -> Measured:
        return self.measured()

    # A minute on a quiet machine; a busy one takes longer to count the same.
    setup_cache.timeout = 1200

    track_connect = tracked("service-routing", "connect")


class ServiceSync(Suite):
    """All of the rules at once, into an empty kernel."""

    experiment = "service-routing"
    axes: ClassVar = {"mode": _MODES, "services": ("1000",)}
    fixed: ClassVar = {"measure": "sync"}

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 300

    track_sync = tracked("service-routing", "sync")
    track_kernel_memory = tracked("service-routing", "kernel_memory")


class ServiceUpdate(Suite):
    """One change in a programmed node."""

    experiment = "service-routing"
    axes: ClassVar = {"mode": _MODES, "services": ("1000",)}
    fixed: ClassVar = {"measure": "update"}

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 300

    track_update = tracked("service-routing", "update")
    track_endpoint_change = tracked("service-routing", "endpoint_change")
    track_no_change = tracked("service-routing", "no_change")
    track_delete = tracked("service-routing", "delete")
