"""cpu-quota for asv: short periods, so that a sample takes a third of a second, and one thread.

A quota above one CPU needs the others idle, or it is never used up and nothing is proven; a CI
machine may not have them to spare.
"""

from typing import ClassVar

from cnbench.asv.suite import Measured, Suite, tracked


class CpuQuota(Suite):
    """The quota's error (exported as 1 + |error|: both signs are worse), throttling and stalls.

    In a guest that counts instructions, idle time passes without any, so a stall is one of the
    guest's own time: what it would take on a machine that does an instruction a nanosecond.
    """

    experiment = "cpu-quota"
    counted = True
    axes: ClassVar = {"controller": ("v1", "v2"), "quota": ("20%", "50%"), "period": ("10ms",)}

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 180

    track_error = tracked("cpu-quota", "error")
    track_throttled = tracked("cpu-quota", "throttled")
    track_stall = tracked("cpu-quota", "stall")
