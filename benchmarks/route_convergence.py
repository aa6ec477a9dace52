"""route-convergence for asv: from an announcement to the first packet, which is mostly waiting."""

from typing import ClassVar

from cnbench.asv.suite import Measured, Suite, tracked


class RouteConvergence(Suite):
    """BIRD by BGP, and `ip -batch` as the control."""

    experiment = "route-convergence"
    axes: ClassVar = {"routing": ("bird", "static"), "routes": ("1000",)}

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 300

    track_convergence = tracked("route-convergence", "convergence")
