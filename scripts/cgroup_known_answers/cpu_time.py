"""What is known beforehand of shares of the CPU, and of what is charged."""

from __future__ import annotations

import errno
import os
import time

from answering import hold
from groups import group_of, in_group, refusal


def accounting() -> None:
    """The group is charged what wait4 says that its only process used."""
    with group_of("cpuacct") as (version, folder):

        def use() -> int:
            while time.process_time() < 0.5:
                pass
            return 0

        child = in_group(folder, use)
        _, _, used = os.wait4(child, 0)
        process = used.ru_utime + used.ru_stime
        if version == "v1":
            group = int((folder / "cpuacct.usage").read_text()) / 1e9
        else:
            rows = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
            group = int(rows["usage_usec"]) / 1e6
        hold("CPU time of the group (s)", f"{process:.4f} within 1 %", f"{group:.4f}",
             abs(group / process - 1) < 0.01)  # fmt: skip


def shares() -> None:
    """What becomes of shares and weights at their ends, of a limit below a burst, and of idle."""
    with group_of("cpu") as (version, folder):
        if version == "v1":
            for written, kept in (("1024", "1024"), ("0", "2"), ("1", "2")):
                (folder / "cpu.shares").write_text(written)
                hold(
                    f"cpu.shares {written} becomes",
                    kept,
                    (folder / "cpu.shares").read_text().strip(),
                )
            burst, lower = folder / "cpu.cfs_burst_us", folder / "cpu.cfs_quota_us"
            lower.write_text("50000")
            smaller = "20000"
        else:
            for written, refused in (("100", 0), ("1", 0), ("0", errno.ERANGE)):
                hold(f"cpu.weight {written} is refused with", refused,
                     refusal(folder / "cpu.weight", written))  # fmt: skip
            burst, lower = folder / "cpu.max.burst", folder / "cpu.max"
            lower.write_text("50000 100000")
            smaller = "20000 100000"
        if burst.exists():
            burst.write_text("50000")
            hold("a limit below the burst is refused with", errno.EINVAL, refusal(lower, smaller))
        if (folder / "cpu.idle").exists():
            (folder / "cpu.idle").write_text("1")
            name = "cpu.shares" if version == "v1" else "cpu.weight"
            refused = refusal(folder / name, "100")
            hold(f"{name} of an idle group is refused with", errno.EINVAL, refused)
