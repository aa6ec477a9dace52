"""Hold cgroup controllers against answers that are known beforehand; exits with 1 if one is missed.

    .venv/bin/python scripts/cgroup_known_answers.py

As root, on a machine that does nothing else; half a minute. Nothing of cnbench is used: the groups,
the processes and the disk are made here, with the kernel's own files. What a machine has not is
said, and is no miss. In a guest, with cgroup v2, on whose virtual clock no other machine weighs:

    cnbench guest run --clock instructions -- python3 -c "$(cat scripts/cgroup_known_answers.py)"
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PAGE = mmap.PAGESIZE
# MEMCG_CHARGE_BATCH of linux/memcontrol.h, in pages.
BATCH = 64
NAMES_ON_V2 = {"blkio": "io"}
missed: list[str] = []


class AbsentError(Exception):
    """This machine has not what is asked for."""


def hold(what: str, expected: object, found: object, holds: bool | None = None) -> None:
    """Say whether ``found`` is ``expected``, or whether it ``holds``."""
    good = expected == found if holds is None else holds
    print(f"  {'ok    ' if good else 'MISSED'} {what}: expected {expected}, found {found}")
    if not good:
        missed.append(what)


def tree_of(controller: str) -> tuple[str, Path]:
    """The version that ``controller`` is on, and its root."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup" and controller in options.split(","):
            return "v1", Path(where)
        name = NAMES_ON_V2.get(controller, controller)
        if kind == "cgroup2":
            available = Path(where, "cgroup.controllers").read_text().split()
            if name in available or controller in ("freezer", "cpuacct"):
                return "v2", Path(where)
    raise AbsentError(f"no {controller} here")


@contextlib.contextmanager
def group_of(controller: str) -> Iterator[tuple[str, Path]]:
    """A group of ``controller``: its version and folder."""
    version, root = tree_of(controller)
    control = root / "cgroup.subtree_control"
    name = NAMES_ON_V2.get(controller, controller)
    passed_on = version == "v1" or name in control.read_text().split()
    implicit = controller in ("freezer", "cpuacct")
    if not passed_on and not implicit:
        control.write_text(f"+{name}")
    folder = root / f"known-answer-{os.getpid()}"
    folder.mkdir()
    try:
        yield version, folder
    finally:
        for _ in range(500):
            with contextlib.suppress(OSError):
                folder.rmdir()
                break
            time.sleep(0.01)
        if not passed_on and not implicit:
            control.write_text(f"-{name}")


def in_group(folder: Path, task: Callable[[], object]) -> int:
    """Have a child in the group do ``task``, and give its number."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            (folder / "cgroup.procs").write_text(str(os.getpid()))
            code = int(task() or 0)  # type: ignore[call-overload]
        finally:
            os._exit(code)
    return child


def pids() -> None:
    """The limit counts the child itself; the next fork is refused with EAGAIN."""
    with group_of("pids") as (_, folder):
        limit = 17
        (folder / "pids.max").write_text(str(limit))

        def fork_on() -> int:
            made: list[int] = []
            try:
                while len(made) < 100:
                    child = os.fork()
                    if child == 0:
                        signal.pause()
                    made.append(child)
            except OSError as error:
                refused = error.errno == errno.EAGAIN
            for child in made:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            return len(made) + 1 if refused else 0

        _, status = os.waitpid(in_group(folder, fork_on), 0)
        hold("tasks until EAGAIN", limit, os.waitstatus_to_exitcode(status))


def memory() -> None:
    """The most that was charged is the limit, but for a batch."""
    with group_of("memory") as (version, folder):
        limit = 24 * 2**20
        (folder / {"v1": "memory.limit_in_bytes", "v2": "memory.max"}[version]).write_text(
            str(limit)
        )

        def grow() -> int:
            ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # no huge pages
            memory = mmap.mmap(-1, 2 * limit, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            for at in range(0, 2 * limit, PAGE):
                memory[at] = 1
            return 0

        _, status = os.waitpid(in_group(folder, grow), 0)
        hold("how the one that grew ended", -signal.SIGKILL, os.waitstatus_to_exitcode(status))
        peak = folder / {"v1": "memory.max_usage_in_bytes", "v2": "memory.peak"}[version]
        if peak.exists():
            charged = int(peak.read_text())
            close = limit - BATCH * PAGE <= charged <= limit
            hold("most that was charged", f"{limit} less a batch at most", charged, close)


def reclaim() -> None:
    """At least what was asked for is taken back, and more than there is is refused."""
    with group_of("memory") as (version, folder), disk(16 * 2**20) as device:
        file = folder / "memory.reclaim"
        if version == "v1" or not file.exists():
            raise AbsentError("memory.reclaim is of v2, since Linux 5.19")

        def write() -> int:
            with device.open("wb") as disk_file:
                disk_file.write(bytes(16 * 2**20))
                disk_file.flush()
                os.fsync(disk_file.fileno())
            return 0

        # Whoever closes a disk last forgets what is cached of it.
        kept = os.open(device, os.O_RDONLY)
        try:
            os.waitpid(in_group(folder, write), 0)
            before = int((folder / "memory.current").read_text())
            file.write_text(str(8 * 2**20))
            less = before - int((folder / "memory.current").read_text())
            hold("bytes taken back of 8 MiB", "8 MiB, a quarter more at most", less,
                 8 * 2**20 <= less <= 10 * 2**20)  # fmt: skip
            hold("64 MiB more are refused with", errno.EAGAIN, refusal(file, str(64 * 2**20)))
        finally:
            os.close(kept)


def pressure() -> None:
    """A trigger tells of 100 ms of stall in a second: not before, and within a tenth of it."""
    with group_of("memory") as (version, folder):
        file = folder / "memory.pressure"
        if version == "v1" or not file.exists():
            raise AbsentError("pressure is accounted for on v2")
        limit = 30 * 2**20
        (folder / "memory.high").write_text(str(limit))
        try:
            trigger = os.open(file, os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            raise AbsentError(f"no pressure: {error.strerror}") from None
        os.write(trigger, b"some 100000 1000000\0")
        poll = select.poll()
        poll.register(trigger, select.POLLPRI)
        reader, writer = os.pipe()

        def grow() -> int:
            ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # no huge pages
            room = limit - int((folder / "memory.current").read_text())
            memory = mmap.mmap(-1, room + 2**21, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            for at in range(0, room, PAGE):
                memory[at] = 1
            os.write(writer, b".")
            for at in range(room, room + 2**21, PAGE):
                memory[at] = 1
            return 0

        hold("notices before", 0, len(poll.poll(0)))
        child = in_group(folder, grow)
        os.read(reader, 1)
        began = time.monotonic()
        told = len(poll.poll(20_000))
        took = time.monotonic() - began
        os.waitpid(child, 0)
        for descriptor in (trigger, reader, writer):
            os.close(descriptor)
        hold("notices", 1, told)
        hold("seconds until told", "0.1 to 0.24", f"{took:.3f}", 0.1 <= took <= 0.24)


def io() -> None:
    """2 MiB at 1 MiB/s take two seconds, and the first MiB waits too; v1 lets buffers through."""
    with group_of("blkio") as (version, folder), disk(2 * 2**20) as device:
        number = Path("/sys/block", device.name, "dev").read_text().strip()

        def limit_to(rate: int) -> None:
            if version == "v1":
                (folder / "blkio.throttle.write_bps_device").write_text(f"{number} {rate}")
            else:
                (folder / "io.max").write_text(f"{number} wbps={rate}")

        limit_to(2**20)

        def write(flags: int, size: int) -> float:
            def both() -> int:
                descriptor = os.open(device, os.O_WRONLY | flags)
                buffer = mmap.mmap(-1, size)
                for at in range(0, 2 * 2**20, size):
                    os.pwrite(descriptor, buffer, at)
                return 0

            # Whoever closes a disk last writes what is cached of it: that is not to be the child.
            kept = os.open(device, os.O_WRONLY)
            try:
                began = time.monotonic()
                os.waitpid(in_group(folder, both), 0)
                os.fsync(kept)
                return time.monotonic() - began
            finally:
                os.close(kept)

        for size in (2**16, 2**20):
            took = write(os.O_DIRECT, size)
            hold(f"seconds for 2 MiB at 1 MiB/s, {size} bytes each", "2.0 within 2 %",
                 f"{took:.3f}", abs(took / 2 - 1) < 0.02)  # fmt: skip
        if version == "v1":
            took = write(0, 2**16)
            hold("seconds for them through the page cache", "under 0.5", f"{took:.3f}", took < 0.5)


@contextlib.contextmanager
def disk(size: int) -> Iterator[Path]:
    """A loop device over a new file."""
    with tempfile.NamedTemporaryFile() as image:
        os.posix_fallocate(image.fileno(), 0, size)
        said = subprocess.run(
            ["losetup", "--find", "--show", "--direct-io=on", image.name],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if said.returncode:
            raise AbsentError(f"no loop device: {said.stderr.strip()}")
        device = Path(said.stdout.strip())
        try:
            yield device
        finally:
            subprocess.run(["losetup", "--detach", str(device)], check=True)


def freezer() -> None:
    """What is frozen uses no CPU time and is in no running state; thawed, it goes on."""
    with group_of("freezer") as (version, folder):
        name = {"v1": "freezer.state", "v2": "cgroup.freeze"}[version]
        on, off = {"v1": ("FROZEN", "THAWED"), "v2": ("1", "0")}[version]

        def spin() -> int:
            while True:
                pass

        child = in_group(folder, spin)
        try:
            time.sleep(0.2)
            (folder / name).write_text(on)
            time.sleep(0.2)
            before, state = cpu_ticks(child)
            time.sleep(0.5)
            after, _ = cpu_ticks(child)
            hold("ticks of CPU time while frozen", 0, after - before)
            hold("state while frozen", "D or S", state, state in "DS")
            (folder / name).write_text(off)
            time.sleep(0.5)
            moved = cpu_ticks(child)[0] - after
            hold("ticks of CPU time after", "more than 5", moved, moved > 5)
        finally:
            (folder / name).write_text(off)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def cpu_ticks(pid: int) -> tuple[int, str]:
    """Ticks of CPU time, and the state, of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12]), fields[0]


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


def cpuset() -> None:
    """A process may run where the mask of its group says."""
    with group_of("cpuset") as (version, folder):
        last = max(os.sched_getaffinity(0))
        if version == "v1":
            (folder / "cpuset.mems").write_text((folder.parent / "cpuset.mems").read_text())
        (folder / "cpuset.cpus").write_text(str(last))
        child = in_group(folder, lambda: os.sched_getaffinity(0) != {last})
        hold(
            "that the mask is the last CPU's", 0, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        )


def devices() -> None:
    """On v1 a device that is denied cannot be opened, and one that is allowed can."""
    with group_of("devices") as (_, folder):
        (folder / "devices.deny").write_text("a")
        (folder / "devices.allow").write_text("c 1:3 rw")

        def try_both() -> int:
            os.close(os.open("/dev/null", os.O_RDWR))
            try:
                os.open("/dev/zero", os.O_RDONLY)
            except PermissionError:
                return 0
            return 1

        child = in_group(folder, try_both)
        hold(
            "that one opens and one does not", 0, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        )


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


def refusal(path: Path, text: str) -> int:
    """The errno that writing ``text`` is refused with, or 0."""
    try:
        path.write_text(text)
    except OSError as error:
        return error.errno or 0
    return 0


def internal_processes() -> None:
    """On v2 a group that has processes passes neither memory nor io on."""
    version, _ = tree_of("memory")
    if version == "v1":
        raise AbsentError("the rule against internal processes is v2's")
    with group_of("memory") as (_, folder):
        child = in_group(folder, signal.pause)
        try:
            while not (folder / "cgroup.procs").read_text():
                time.sleep(0.01)
            for controller, expected in (("memory", errno.EBUSY), ("io", errno.EBUSY)):
                found = refusal(folder / "cgroup.subtree_control", f"+{controller}")
                if found != errno.ENOENT:
                    hold(
                        f"passing {controller} on beside a process is refused with", expected, found
                    )
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


ANSWERS = (
    pids, memory, reclaim, pressure, io, freezer, accounting, cpuset, devices, shares,
    internal_processes,
)  # fmt: skip

if __name__ == "__main__":
    if os.geteuid() != 0:
        raise SystemExit("run this as root")
    for answer in ANSWERS:
        print(f"{answer.__name__}: {(answer.__doc__ or '').splitlines()[0]}")
        try:
            answer()
        except AbsentError as reason:
            print(f"  absent {reason}")
    sys.exit(1 if missed else 0)
