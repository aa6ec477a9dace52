"""cpu-quota against an independent script; timed, so it is run by hand and not by pytest.

    .venv/bin/python tests/cpu/known_answers.py

The script below makes its own cgroup and its own busy process, and reads the kernel's counters by
itself; cnbench is started beside it as a user would start it. The error that the script finds has
to be in the interval that cnbench gives.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

QUOTA_US, PERIOD_US, PERIODS = 20_000, 100_000, 100
CNBENCH = ["cpu-quota", "-p", "quota=20%", "-p", "period=100ms", "-p", "periods=100",
           "-p", "threads=1", "--lab", "host", "--json"]  # fmt: skip


def mount_of(option: str, kind: str) -> Path | None:
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, found, options, *_ = line.split()
        if found == kind and (not option or option in options.split(",")):
            return Path(where)
    return None


def independent_error() -> tuple[str, float]:
    """The version of the controller, and the time used over the time allowed, less one."""
    cpu, cpuacct = mount_of("cpu", "cgroup"), mount_of("cpuacct", "cgroup")
    if cpu and cpuacct:
        return "v1", _error([cpu, cpuacct], v2=False)
    unified = mount_of("", "cgroup2")
    assert unified, "there is no cgroup file system"
    return "v2", _error([unified], v2=True)


def _error(roots: list[Path], v2: bool) -> float:
    # `dict` keeps one folder once where cpu and cpuacct are mounted together.
    groups = list(dict.fromkeys(root / f"known-answer-{os.getpid()}" for root in roots))
    for group in groups:
        group.mkdir()
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        if v2:
            (groups[0] / "cpu.max").write_text(f"{QUOTA_US} {PERIOD_US}")
        else:
            (groups[0] / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (groups[0] / "cpu.cfs_quota_us").write_text(str(QUOTA_US))
        for group in groups:
            (group / "cgroup.procs").write_text(str(busy.pid))
        first_periods, first_usage = _at_an_edge(groups, v2)
        time.sleep((PERIODS - 1) * PERIOD_US / 1e6)
        last_periods, last_usage = _at_an_edge(groups, v2)
        allowed = (last_periods - first_periods) * QUOTA_US / 1e6
        return (last_usage - first_usage) / allowed - 1
    finally:
        busy.kill()
        busy.wait()
        time.sleep(0.1)
        for group in groups:
            group.rmdir()


def _at_an_edge(groups: list[Path], v2: bool) -> tuple[int, float]:
    """Periods that have ended, and CPU seconds used, just after one has ended."""

    def counters() -> tuple[int, float]:
        stat = dict(line.split() for line in (groups[0] / "cpu.stat").read_text().splitlines())
        if v2:
            return int(stat["nr_periods"]), int(stat["usage_usec"]) / 1e6
        usage = (groups[-1] / "cpuacct.usage").read_text()
        return int(stat["nr_periods"]), int(usage) / 1e9

    before = counters()[0]
    while (now := counters())[0] == before:
        time.sleep(50e-6)
    return now


def interval_of_cnbench(version: str) -> tuple[float, float]:
    tool = Path(sys.executable).with_name("cnbench")
    with tempfile.NamedTemporaryFile(suffix=".json") as run_file:
        argv = [tool, "run", *CNBENCH, "-p", f"controller={version}", "-o", run_file.name]
        out = subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout
    row = next(row for row in json.loads(out)["rows"] if row["metric"] == "error")
    return row["low"], row["high"]


if __name__ == "__main__":
    version, first = independent_error()
    low, high = interval_of_cnbench(version)
    _, second = independent_error()
    error = (first + second) / 2
    print(f"{version}: the script finds {first:+.3%} before and {second:+.3%} after; "
          f"cnbench says {low:+.3%} to {high:+.3%}")  # fmt: skip
    sys.exit(not low <= error <= high)
