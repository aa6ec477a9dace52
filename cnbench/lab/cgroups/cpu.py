"""The kernel's CPU bandwidth controller, as cgroup v1 and as cgroup v2.

On a hybrid host the cpu controller may be on either; a machine has it on one of them at a time.
Accounting is the kernel's own: ``cpu.stat`` on v2, ``cpu.stat`` and ``cpuacct.usage`` on v1.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.lab.cgroups.hierarchies import (
    Version,
    controllers_in,
    explaining,
    pass_on,
    passed_on,
    passes_on,
)
from cnbench.lab.journal import Journal
from cnbench.lab.resources import Resource

# The file of a group's weight, and what is in it at first (Documentation/admin-guide/cgroup-v2.rst;
# for v1, NICE_0_LOAD in kernel/sched/sched.h).
_WEIGHTS: dict[Version, tuple[str, int]] = {"v1": ("cpu.shares", 1024), "v2": ("cpu.weight", 100)}


# Of a group that is idle, as a share of the default (WEIGHT_IDLEPRIO in kernel/sched/sched.h).
IDLE_WEIGHT = 3 / 1024


@dataclass(frozen=True)
class CpuAccount:
    """What the controller counted since the group was made.

    Attributes:
        usage: CPU time used, in seconds.
        periods: enforcement periods that have elapsed while the group was active.
        throttled: periods in which it was throttled.
    """

    usage: float
    periods: int
    throttled: int


@dataclass(frozen=True)
class Controller:
    """The cpu controller in one version: the folder that limits, and the one that accounts.

    They differ only on v1, where cpu and cpuacct may be mounted apart.
    """

    version: Version
    cpu: Path
    cpuacct: Path

    def below(self, name: str) -> Controller:
        """The same controller one folder down."""
        return Controller(self.version, self.cpu / name, self.cpuacct / name)

    def folders(self) -> list[Path]:
        """The one or two folders, each once."""
        return list(dict.fromkeys([self.cpu, self.cpuacct]))


class CpuGroup:
    """A cgroup with a share of the CPU or a limit to it. Use ``open_cpu_group``."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.version = controller.version
        self.folder = controller.cpu
        self._accounting = controller.cpuacct

    def limit(self, quota: float, period: float, burst: float = 0) -> None:
        """Allow ``quota`` CPUs (1.5 is one and a half) in every ``period`` seconds.

        What a period leaves unused may be used in later ones, up to ``burst`` times the quota.

        Raises:
            UnsupportedError: there is to be a burst, and the kernel has none (before 5.14).
            CnbenchError: the kernel refuses the values; the message holds its limits.
        """
        period_us = round(period * 1e6)
        quota_us = round(quota * period * 1e6)
        self._set_quota(quota_us, period_us)
        if burst:
            self._set_burst(round(burst * quota_us))

    def _set_quota(self, quota_us: int, period_us: int) -> None:
        try:
            if self.version == "v2":
                self._write("cpu.max", f"{quota_us} {period_us}")
            else:
                self._write("cpu.cfs_period_us", str(period_us))
                self._write("cpu.cfs_quota_us", str(quota_us))
        except OSError as error:
            burst_us = self.read_burst()
            raise CnbenchError(
                f"the kernel refuses a quota of {quota_us} µs in {period_us} µs: {error.strerror}",
                f"the burst of {burst_us} µs is more than that; lower it first"
                if burst_us > quota_us
                else "it takes periods of 1 ms to 1 s and quotas of at least 1 ms",
            ) from error

    def _set_burst(self, burst_us: int) -> None:
        if not (self.folder / self._burst_file).exists():
            raise UnsupportedError(
                f"this kernel has no {self._burst_file}; it came with Linux 5.14",
                "use a newer kernel: --lab guest",
            )
        try:
            self._write(self._burst_file, str(burst_us))
        except OSError as error:
            raise CnbenchError(
                f"the kernel refuses a burst of {burst_us} µs: {error.strerror}",
                "it takes at most the quota",
            ) from error

    def read_burst(self) -> int:
        """The burst in microseconds, as the kernel has it now; 0 where it knows none."""
        exists = (self.folder / self._burst_file).exists()
        return int(self._read(self._burst_file)) if exists else 0

    @property
    def _burst_file(self) -> str:
        return "cpu.max.burst" if self.version == "v2" else "cpu.cfs_burst_us"

    def weigh(self, weight: float) -> None:
        """Give the group ``weight`` times the share of one that nothing was changed of.

        Raises:
            CnbenchError: the kernel refuses the value; the message holds its limits.
        """
        name, default = _WEIGHTS[self.version]
        try:
            self._write(name, str(round(weight * default)))
        except OSError as error:
            raise CnbenchError(
                f"the kernel refuses {name} = {round(weight * default)}: {error.strerror}",
                "cpu.weight goes from 1 to 10000, cpu.shares from 2 to 262144",
            ) from error

    def idle(self) -> None:
        """Give the group the weight of SCHED_IDLE, and have it give way to all others at once.

        Raises:
            UnsupportedError: the kernel has no such groups (before 5.15).
        """
        if not (self.folder / "cpu.idle").exists():
            raise UnsupportedError(
                "this kernel has no cpu.idle; it came with Linux 5.15",
                "use a newer kernel: --lab guest",
            )
        self._write("cpu.idle", "1")

    def read_weight(self) -> float:
        """The weight as the kernel has it now, 1 being its default."""
        name, default = _WEIGHTS[self.version]
        idle = self.folder / "cpu.idle"
        if idle.exists() and idle.read_text().strip() == "1":
            return IDLE_WEIGHT  # which cpu.weight, a whole per cent, shows as 0
        return int(self._read(name)) / default

    def read_limit(self) -> tuple[int, int]:
        """Quota and period in microseconds, as the kernel has them; no quota is -1, as on v1."""
        if self.version == "v2":
            quota, period = self._read("cpu.max").split()
            return -1 if quota == "max" else int(quota), int(period)
        return int(self._read("cpu.cfs_quota_us")), int(self._read("cpu.cfs_period_us"))

    def add(self, pid: int) -> None:
        """Move the process into the group."""
        for folder in {self.folder, self._accounting}:
            (folder / "cgroup.procs").write_text(str(pid))

    def members(self) -> list[int]:
        """The processes in the group."""
        return [int(pid) for pid in self._read("cgroup.procs").split()]

    def account(self) -> CpuAccount:
        """The controller's own accounting, now."""
        stat = dict(line.split() for line in self._read("cpu.stat").splitlines())
        if self.version == "v2":
            usage = int(stat["usage_usec"]) / 1e6
        else:
            usage = int((self._accounting / "cpuacct.usage").read_text()) / 1e9
        return CpuAccount(usage, int(stat["nr_periods"]), int(stat["nr_throttled"]))

    def periods(self) -> int:
        """Elapsed enforcement periods; cheap enough to be polled."""
        stat = self._read("cpu.stat")
        return int(stat.partition("nr_periods ")[2].partition("\n")[0])

    def _read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)


def find_controllers(mounts: str | None = None) -> dict[Version, Controller]:
    """The versions whose CPU bandwidth controller can be used here, with their root folders.

    Read from /proc/mounts, or from ``mounts``, its text.
    """
    if mounts is None:
        mounts = Path("/proc/mounts").read_text()
    v1: dict[str, Path] = {}
    found: dict[Version, Controller] = {}
    for line in mounts.splitlines():
        _device, target, kind, options, *_ = line.split()
        if kind == "cgroup":
            v1 |= dict.fromkeys(options.split(","), Path(target))
        elif kind == "cgroup2" and "cpu" in controllers_in(Path(target)):
            found["v2"] = Controller("v2", Path(target), Path(target))
    if "cpu" in v1 and "cpuacct" in v1:
        found["v1"] = Controller("v1", v1["cpu"], v1["cpuacct"])
    return found


def require_controller(version: str) -> None:
    """Raise UnsupportedError where the CPU bandwidth controller cannot be used as ``version``."""
    found = find_controllers()
    if version not in found:
        elsewhere = (
            f"here it is on {', '.join(found)}" if found else "it is on neither version here"
        )
        raise UnsupportedError(
            f"cgroup {version} has no cpu controller on this machine; {elsewhere}",
            "the guest lab has cgroup v2: --lab guest",
        )
    if os.geteuid() != 0:
        raise UnsupportedError("making a cgroup needs root", "run as root, or use --lab guest")
    for folder in found[version].folders():
        problem = _why_not_to_be_used(folder)
        if problem:
            raise UnsupportedError(
                f"no cgroup can be made in {folder}: {problem}",
                "run outside of the container, or use --lab guest",
            )


def _why_not_to_be_used(folder: Path) -> str:
    """What a container does to cgroups; empty where nothing."""
    if not (folder / "cgroup.procs").exists():
        return "something else is mounted over it"
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return os.strerror(errno.EROFS)
    return "" if os.access(folder, os.W_OK) else os.strerror(errno.EACCES)


@contextlib.contextmanager
def open_run_folder(
    journal: Journal, version: Version, folder_below: Callable[[Path], Path]
) -> Iterator[Controller]:
    """The folder below which all groups of a run are made; ``folder_below`` gives it for a root.

    On v2 the root is made to pass the cpu controller on, which is taken back on leaving.
    """
    require_controller(version)
    root = find_controllers()[version]
    ours = Controller(version, folder_below(root.cpu), folder_below(root.cpuacct))
    with contextlib.ExitStack() as made:
        if version == "v2":
            for above in (root.cpu, ours.cpu):
                made.enter_context(passed_on(journal, above, "cpu"))
        yield ours


@contextlib.contextmanager
def open_cpu_group(journal: Journal, above: Controller, name: str) -> Iterator[CpuGroup]:
    """A new cgroup called ``name``; what is in it at the end is killed.

    ``above`` is the run's folder, or the controller of a group that has no process of its own.
    """
    ours = above.below(name)
    if above.version == "v2" and not passes_on(above.cpu, "cpu"):
        pass_on(above.cpu, "cpu")
    with contextlib.ExitStack() as made:
        for folder in ours.folders():
            made.enter_context(journal.owning(Resource("cgroup", str(folder))))
            with explaining(f"the cgroup {folder} cannot be made"):
                folder.mkdir()
        yield CpuGroup(ours)


def _words(path: Path) -> list[str]:
    return path.read_text().split()
