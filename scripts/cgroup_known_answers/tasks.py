"""What is known beforehand of how many tasks there may be, whether they run, and where."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

from answering import AbsentError, hold
from groups import group_of, in_group, refusal, tree_of


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
