"""What outlives a process, and how each kind of it is removed.

The same function removes a resource when its run closes it and when ``cnbench gc`` finds it in the
journal of a dead run, so there is one way for each kind to go away. All of them accept a resource
that is already gone, or that was written to the journal but never made.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import CnbenchError
from cnbench.lab import libc, processes

# Begins the name of everything we make; the run's id, 12 hexadecimal digits, completes it, so that
# nothing else is ever removed, such as a folder of the user's that is called cnbench-results.
MARK = "cnbench-"

# From linux/loop.h.
_LOOP_CLR_FD = 0x4C01
_OURS = re.compile(MARK + "[0-9a-f]{12}")
# Kinds that several runs may have in use at the same time.
SHARED = ("controller",)
_RUN = re.compile("[0-9a-f]{12}")
_CGROUPS = Path("/sys/fs/cgroup")
# Seconds for processes to end that were killed: one that waits for a disk takes its time.
_PATIENCE = 10.0


@dataclass(frozen=True)
class Resource:
    """One thing on this machine: its kind, and what names it (a path, mostly)."""

    kind: str
    what: str


def temporary_folder() -> Path:
    """Where temporary files go: ``$TMPDIR``, or ``/tmp``, from whatever folder ``gc`` is called.

    Raises:
        CnbenchError: there is no folder that this user can write to.
    """
    try:
        return Path(tempfile.gettempdir()).absolute()
    except OSError as error:
        raise CnbenchError(
            f"there is no folder for temporary files: {error.strerror}", "name one: TMPDIR=FOLDER"
        ) from error


def is_nothing(resource: Resource) -> bool:
    """Whether ``resource`` is processes of which none is left, as is usual."""
    return resource.kind == "processes" and not any(processes.of_run(resource.what))


def remove(resource: Resource, *, found: bool = False) -> None:
    """Remove ``resource`` if it is there; ``found`` in the journal of another process, or our own.

    Raises:
        CnbenchError: it is not ours by its name, it is still there after all attempts, or it was
            found and cannot be seen from here.
    """
    if found and is_out_of_sight(resource):
        raise CnbenchError(f"the {resource.kind} {resource.what} cannot be seen from here")
    try:
        _REMOVERS[resource.kind](resource.what)
    except KeyError:
        raise CnbenchError(f"the journal names an unknown kind of resource: {resource}") from None
    except OSError as error:
        raise CnbenchError(
            f"could not remove the {resource.kind} {resource.what}: {error}"
        ) from error


def is_out_of_sight(resource: Resource, mounts: str | None = None) -> bool:
    """Whether ``resource`` is a cgroup of a tree that is not mounted where this process looks.

    It seems gone then, and is not: another may be mounted above it in a mount namespace such as a
    container has. ``mounts`` is the text of /proc/mounts.
    """
    group = Path(resource.what)
    if resource.kind != "cgroup" or not group.is_relative_to(_CGROUPS):
        return False
    mounts = Path("/proc/mounts").read_text() if mounts is None else mounts
    rows = [line.split() for line in mounts.splitlines()]
    above = [(len(Path(where).parts), at) for at, (_, where, *_) in enumerate(rows)
             if group.is_relative_to(where)]  # fmt: skip
    return not above or not rows[max(above)[1]][2].startswith("cgroup")


def _ours(path: str) -> Path:
    found = Path(path)
    if not any(map(_OURS.fullmatch, found.parts)) or ".." in found.parts:
        raise CnbenchError(f"{path} is not named like something of ours, so it is left alone")
    return found


def _remove_folder(path: str) -> None:
    named = _ours(path)
    # /proc/mounts has no symbolic links, which the way to the temporary folder may have.
    folder = named.parent.resolve() / named.name
    inside = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    if any(Path(mounted).is_relative_to(folder) for mounted in inside):
        raise CnbenchError(f"{folder} still has something mounted in it, so it is left alone")
    if folder.exists():
        shutil.rmtree(folder)


def _end_processes(run: str) -> None:
    """Kill what a run has started and what that has started, wherever it is."""
    if not _RUN.fullmatch(run):
        raise CnbenchError(f"'{run}' is not the name of a run, so its processes are left alone")
    _thaw_groups_of(run)
    give_up = time.monotonic() + _PATIENCE
    while True:
        left = 0
        for descriptor in processes.of_run(run):
            left += 1
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        if not left:
            return
        if time.monotonic() > give_up:
            raise OSError(errno.EBUSY, f"{left} of them do not end", run)
        time.sleep(0.01)


def _remove_cgroup(path: str) -> None:
    group = _ours(path)
    for _attempt in range(200):
        if not group.exists():
            return
        _thaw(group)
        _kill_members(group)
        try:
            for folder in sorted((d for d in group.rglob("*") if d.is_dir()), reverse=True):
                folder.rmdir()
            group.rmdir()
        except OSError as error:
            # A killed process leaves its cgroup only once it has been reaped.
            if error.errno not in (errno.EBUSY, errno.ENOENT):
                raise
            time.sleep(0.01)
    raise OSError(errno.EBUSY, "processes stay in it", path)


def _thaw_groups_of(run: str) -> None:
    """Thaw what a run has frozen on v1: its processes end before its groups are removed."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _device, target, kind, options, *_ = line.split()
        if kind == "cgroup" and "freezer" in options.split(","):
            _thaw(Path(target, f"{MARK}{run}"))


def _thaw(group: Path) -> None:
    """On v1 what is frozen dies only once it is thawed; a group is frozen while one above is."""
    for state in [group / "freezer.state", *group.rglob("freezer.state")]:
        with contextlib.suppress(OSError):
            state.write_text("THAWED")


def _kill_members(group: Path) -> None:
    for members in [*group.rglob("cgroup.procs")]:
        try:
            pids = members.read_text().split()
        except OSError:
            continue
        for pid in map(int, pids):
            if pid != os.getpid():
                _signal(pid)


def _signal(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _unmount_hierarchy(what: str) -> None:
    path, _, controller = what.rpartition(" ")
    _ours(path)
    # A hierarchy that is unmounted while the kernel still has a removed group of it stays alive,
    # and keeps its controller from everybody; groups are freed after a grace period.
    for _attempt in range(200):
        if _groups_with(controller) <= 1:
            break
        time.sleep(0.01)
    _unmount(path)


def _groups_with(controller: str) -> int:
    """How many groups the hierarchy of ``controller`` has, its root included."""
    rows = (line.split() for line in Path("/proc/cgroups").read_text().splitlines())
    return next((int(row[2]) for row in rows if row[0] == controller), 0)


def _disable_controller(what: str) -> None:
    root, _, controller = what.rpartition(" ")
    if not Path(root).is_relative_to(_CGROUPS) or ".." in Path(root).parts:
        raise CnbenchError(f"'{what}' is not a controller of a cgroup, so it is left alone")
    with contextlib.suppress(FileNotFoundError):
        Path(root, "cgroup.subtree_control").write_text(f"-{controller}")


def _unmount(path: str) -> None:
    target = str(_ours(path))
    for attempt in range(100):
        try:
            # Who looks at it for a moment (df, say) makes it busy for a moment; who stays in it
            # shall not keep it where it is.
            libc.unmount(target, libc.MNT_DETACH if attempt == 99 else 0)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):
                return
            # Whoever may not mount may not ask by unmounting, either.
            if error.errno == errno.EPERM and not os.path.ismount(target):
                return
            if error.errno != errno.EBUSY:
                raise
            time.sleep(0.01)
        else:
            return


def _restore_scheduler(what: str) -> None:
    image, _, name = what.rpartition(" ")
    for device in _devices_over(_ours(image)):
        Path("/sys/block", device.name, "queue/scheduler").write_text(name)


def _detach_loop_devices(path: str) -> None:
    image = _ours(path)
    for _attempt in range(1000):
        devices = _devices_over(image)
        if not devices:
            return
        for device in devices:
            _detach(device)
        # The kernel detaches a device when the last that has it open closes it, udev for one.
        time.sleep(0.01)
    raise OSError(errno.EBUSY, "it is in use", path)


def _devices_over(image: Path) -> list[Path]:
    """The loop devices that have ``image`` behind them, be it deleted or not."""
    # The kernel's path has no symbolic links, which the way to the temporary folder may have.
    image = image.parent.resolve() / image.name
    return [
        Path("/dev", backing.parts[-3])
        for backing in Path("/sys/block").glob("loop*/loop/backing_file")
        if _read_or_nothing(backing).removesuffix(" (deleted)") == str(image)
    ]


def _read_or_nothing(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _detach(device: Path) -> None:
    descriptor = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _LOOP_CLR_FD)
    except OSError as error:
        if error.errno != errno.ENXIO:  # detached meanwhile
            raise
    finally:
        os.close(descriptor)


_REMOVERS: dict[str, Callable[[str], None]] = {
    "processes": _end_processes,
    "folder": _remove_folder,
    "cgroup": _remove_cgroup,
    "controller": _disable_controller,
    "hierarchy": _unmount_hierarchy,
    "mount": _unmount,
    "loop": _detach_loop_devices,
    "scheduler": _restore_scheduler,
}
