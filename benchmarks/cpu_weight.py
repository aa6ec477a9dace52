"""cpu-weight for asv: how exactly unequal groups share one CPU."""

from typing import ClassVar

from cnbench.asv.suite import Measured, Suite, tracked


class CpuWeight(Suite):
    """Errors are exported as 1 + |error|: both signs are worse."""

    experiment = "cpu-weight"
    axes: ClassVar = {"controller": ("v1", "v2"), "ratio": ("10",)}

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 180

    track_error = tracked("cpu-weight", "error")
    track_stall = tracked("cpu-weight", "stall")
