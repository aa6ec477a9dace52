"""copy-up for asv: a file's data and nothing but its metadata, on each file system."""

from typing import ClassVar

from cnbench.asv.suite import Measured, Suite, tracked


class CopyUp(Suite):
    """The first change of a file, beside a plain copy of the same bytes.

    In a guest the disk is memory, and waiting for it takes no instructions: what is counted is the
    kernel's work on the way to it.
    """

    experiment = "copy-up"
    counted = True
    axes: ClassVar = {
        "filesystem": ("ext4", "xfs", "btrfs", "tmpfs"),
        "size": ("4KiB", "1MiB"),
    }
    fixed: ClassVar = {"trigger": "open", "options": "default"}

    def setup_cache(self) -> Measured:
        return self.measured()

    setup_cache.timeout = 300

    track_latency = tracked("copy-up", "latency")
    track_overhead = tracked("copy-up", "overhead")
    track_copy = tracked("copy-up", "copy")
