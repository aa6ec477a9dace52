"""cpu-quota for asv, at the shortest period that many use: a sample is then a third of a second."""

from typing import ClassVar

from benchmarks.suite import Measured, Suite, tracked


class CpuQuota(Suite):
    """The quota's error (exported as 1 + |error|: both signs are worse), throttling and stalls."""

    experiment = "cpu-quota"
    axes: ClassVar = {"controller": ("v1", "v2"), "quota": ("20%", "150%"), "period": ("10ms",)}

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 180

    track_error = tracked("cpu-quota", "error")
    track_throttled = tracked("cpu-quota", "throttled")
    track_stall = tracked("cpu-quota", "stall")
