"""cpu-burst for asv: a service that stays below its quota, with and without burst."""

from typing import ClassVar

from cnbench.asv.suite import Measured, Suite, tracked


class CpuBurst(Suite):
    """What the quota's periods add to a request's time."""

    experiment = "cpu-burst"
    axes: ClassVar = {"controller": ("v1", "v2"), "burst": ("0%", "100%")}
    fixed: ClassVar = {"period": "20ms"}

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 180

    track_stall = tracked("cpu-burst", "stall")
    track_throttled = tracked("cpu-burst", "throttled")
