"""Hold cpu-quota against answers that are known beforehand; exits with 1 if one is missed.

    .venv/bin/python scripts/cpu_quota_known_answers.py [host] [guest]

On the host (as root, on a machine that does nothing else; three minutes) the error has to be what
an independent script finds: it makes its own cgroup and its own busy process, and reads the
kernel's counters by itself, again and again while cnbench runs beside it, as a user would start it.
Both have an interval of 95 %, and these have to meet. In a guest that counts instructions (two
minutes, on any machine) nobody else uses the CPU: over 100 periods the error is below 1 %.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cnbench.stats.intervals import median_interval

QUOTA_US, PERIOD_US, PERIODS = 20_000, 100_000, 100
CASE = ["cpu-quota", "-p", "quota=20%", "-p", "period=100ms", "-p", f"periods={PERIODS}",
        "-p", "threads=1"]  # fmt: skip
EXACT = 0.01


def mount_of(option: str, kind: str) -> Path | None:
    """Where the cgroup file system with ``option`` is mounted."""
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
    if not unified:
        raise SystemExit("there is no cgroup file system")
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


def start_cnbench(run_file: str, *arguments: str) -> subprocess.Popen[str]:
    """Run the case as a user would."""
    tool = Path(sys.executable).with_name("cnbench")
    argv = [tool, "run", *CASE, *arguments, "--json", "-o", run_file]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def row_of(cnbench: subprocess.Popen[str]) -> Mapping[str, float]:
    """The row of the error."""
    out, _ = cnbench.communicate()
    if cnbench.returncode != 0:
        raise SystemExit(cnbench.returncode)
    row: dict[str, float] = next(r for r in json.loads(out)["rows"] if r["metric"] == "error")
    return row


def on_the_host() -> bool:
    """The independent script's interval and cnbench's meet."""
    if os.geteuid() != 0:
        raise SystemExit("making a cgroup needs root; the part `guest` does not")
    version, first = independent_error()
    found = [first]
    with tempfile.NamedTemporaryFile(suffix=".json") as run_file:
        arguments = ("--lab", "host", "-p", f"controller={version}")
        cnbench = start_cnbench(run_file.name, *arguments)
        while cnbench.poll() is None:
            found.append(independent_error()[1])
        row, script = row_of(cnbench), median_interval(found)
    holds = row["low"] <= script.high and script.low <= row["high"]
    print(
        f"{'holds ' if holds else 'MISSED'}  host, {version}: the script finds "
        f"{script.estimate:+.3%} (95 %: {script.low:+.3%} to {script.high:+.3%}, "
        f"{len(found)} times), cnbench {row['median']:+.3%} (95 %: {row['low']:+.3%} to "
        f"{row['high']:+.3%}, {row['n']} times)"
    )
    return holds


def in_the_guest() -> bool:
    """Where instructions are counted, the error is below 1 %."""
    with tempfile.NamedTemporaryFile(suffix=".json") as run_file:
        arguments = ("--clock", "instructions", "-p", "controller=v2")
        row = row_of(start_cnbench(run_file.name, *arguments))
    holds = row["low"] > -EXACT and row["high"] < EXACT
    print(
        f"{'holds ' if holds else 'MISSED'}  guest, instruction clock, v2: {row['median']:+.3%} "
        f"(95 %: {row['low']:+.3%} to {row['high']:+.3%}), within ±1 %"
    )
    return holds


PARTS: Mapping[str, Callable[[], bool]] = {"host": on_the_host, "guest": in_the_guest}


if __name__ == "__main__":
    held = [PARTS[name]() for name in sys.argv[1:] or PARTS]
    sys.exit(not all(held))
