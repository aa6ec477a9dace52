"""What the first process of an enclave does when it is told to, each task in its own words.

Times are ns of CLOCK_MONOTONIC. What a task returns goes through JSON.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cnbench.containers import bare, first_process
from cnbench.containers.bare import Recipe
from cnbench.lab import libc

_clock = time.perf_counter_ns
_PROCESSES = Path("/proc")
_recipes: dict[int, Recipe] = {}


class Streams:
    """Standard input, output and error of a command, in memory."""

    def __init__(self, given: str) -> None:
        # What a container inherits never comes to an end, as a pipe would have to.
        self._all = [os.memfd_create(name) for name in ("given", "printed", "complained")]
        os.write(self._all[0], given.encode())
        os.lseek(self._all[0], 0, os.SEEK_SET)

    @property
    def actions(self) -> list[tuple[int, int, int]]:
        """How a command is given them, as posix_spawn takes it."""
        return [(os.POSIX_SPAWN_DUP2, stream, to) for to, stream in enumerate(self._all)]

    def texts(self) -> dict[str, str]:
        """What was printed, and what was complained of."""
        output, error = (_contents(stream) for stream in self._all[1:])
        return {"output": output, "error": error}

    def close(self) -> None:
        """Forget them."""
        for descriptor in self._all:
            os.close(descriptor)


def run(argv: list[str], environment: dict[str, str], given: str) -> dict[str, Any]:
    """Run a command to its end: when it began and ended, its exit code, and what it printed."""
    with contextlib.closing(Streams(given)) as streams:
        whole, actions = os.environ | environment, streams.actions
        began = _clock()
        pid = os.posix_spawn(argv[0], argv, whole, file_actions=actions)
        _, status = os.waitpid(pid, 0)
        ended = _clock()
        return _ran(began, ended, status) | streams.texts()


def run_together(commands: Sequence[tuple[list[str], dict[str, str], str]]) -> list[dict[str, Any]]:
    """Begin all commands, and run them to their ends beside each other: as ``run``, of each."""
    if len(commands) == 1:
        return [run(*commands[0])]
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(contextlib.closing(Streams(one[2]))) for one in commands]
        began, pids = [], []
        for (argv, environment, _), own in zip(commands, streams, strict=True):
            began.append(_clock())
            pids.append(
                os.posix_spawn(argv[0], argv, os.environ | environment, file_actions=own.actions)
            )
        ends = _ends(pids)
        return [
            _ran(since, *ends[pid]) | own.texts()
            for since, pid, own in zip(began, pids, streams, strict=True)
        ]


def _ends(pids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """When each child ended, and its status."""
    ends: dict[int, tuple[int, int]] = {}
    descriptors = {os.pidfd_open(pid): pid for pid in pids}
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    while len(ends) < len(pids):
        for descriptor, _ in poll.poll():
            ended, pid = _clock(), descriptors[descriptor]
            poll.unregister(descriptor)
            ends[pid] = (ended, os.waitpid(pid, 0)[1])
            os.close(descriptor)
    return ends


def _ran(began: int, ended: int, status: int) -> dict[str, Any]:
    return {"began": began, "ended": ended, "code": os.waitstatus_to_exitcode(status)}


def _contents(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0).decode(errors="replace")


def serve(argv: Sequence[str], log: str, environment: dict[str, str]) -> int:
    """Start a daemon that writes into the file ``log``; its number here."""
    with Path(log).open("wb") as file:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
            env=os.environ | environment, start_new_session=True,
        )  # fmt: skip
    return process.pid


def prepare_bare(asked: dict[str, Any]) -> int:
    """Lay out the kernel calls of a container; what to ask for it by."""
    number = len(_recipes)
    _recipes[number] = bare.recipe(asked)
    return number


def count_bare(asked: dict[str, Any]) -> int:
    """How many calls a container of the kernel's calls alone takes."""
    laid_out = bare.recipe(asked)
    return len(laid_out.maker) + len(laid_out.child)


def start_bare(number: int) -> dict[str, int]:
    """Make the calls: when they began and ended, and the container's process."""
    recipe = _recipes[number]
    began = _clock()
    pid = bare.start(recipe)
    return {"began": began, "ended": _clock(), "pid": pid}


def end_bare(pid: int, groups: Sequence[str]) -> dict[str, int]:
    """Kill a container, wait for its end, and remove its groups: when that began and ended."""
    began = _clock()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    for group in groups:
        _remove_group(group)
    _recipes.clear()
    return {"began": began, "ended": _clock()}


def _remove_group(group: str) -> None:
    while True:
        try:
            return Path(group).rmdir()
        except OSError:  # the last process leaves it some time after its end
            if not Path(group, "cgroup.procs").exists():
                raise
            time.sleep(0)


def first_instruction(pid: int) -> int:
    """When a container's process began to run."""
    return first_process.first_instruction(_PROCESSES, pid)


def look(pid: int) -> dict[str, Any]:
    """What the kernel says of a process: its namespaces, groups, root, filter and parent."""
    folder = _PROCESSES / str(pid)
    status = dict(
        line.split(":\t", 1)
        for line in (folder / "status").read_text().splitlines()
        if ":\t" in line
    )
    return {
        "namespaces": {path.name: path.readlink().name for path in (folder / "ns").iterdir()},
        "groups": (folder / "cgroup").read_text().splitlines(),
        "mounts": (folder / "mountinfo").read_text().splitlines(),
        "program": (folder / "exe").readlink().name,
        "filters": int(status.get("Seccomp", "0")),
        "users": (folder / "uid_map").read_text().split(),
        "parent": int(status["PPid"]),
    }


def kill(pid: int) -> int:
    """Kill a process: when."""
    began = _clock()
    os.kill(pid, signal.SIGKILL)
    return began


def cpu_time_of(pid: int) -> int:
    """The CPU time of a process that is not running, in ns by the kernel's account."""
    threads = (_PROCESSES / str(pid) / "task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads)


def cpu_time_of_programs(words: Sequence[str]) -> int:
    """The CPU time of all processes whose program has one of these names, in ns."""
    return sum(cpu_time_of(int(folder.name)) for folder in _running(words))


def memory_of(words: Sequence[str]) -> dict[str, int]:
    """Memory (PSS, bytes) and number of the processes whose program has one of these names."""
    total = count = 0
    for folder in _running(words):
        with contextlib.suppress(OSError):
            rollup = (folder / "smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in rollup.splitlines() if "Pss:" in line)
            count += 1
    return {"bytes": total * 1024, "count": count}


def _running(words: Sequence[str]) -> Iterator[Path]:
    """The folders in /proc of the processes whose program has one of these names."""
    for folder in _PROCESSES.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "exe").readlink().name in words:
                yield folder


def last_number() -> int:
    """The number that was given last, to a process or a thread (proc(5): /proc/loadavg)."""
    return int((_PROCESSES / "loadavg").read_text().split()[-1])


def processes_of(pids: Sequence[int]) -> list[str]:
    """Those of ``pids`` that there are."""
    return [f"process {pid}" for pid in pids if (_PROCESSES / str(pid)).exists()]


def read(path: str) -> str:
    """The text of a file."""
    return Path(path).read_text()


def bind(source: str, target: str) -> None:
    """Have a file be seen in the place of another, in this enclave alone."""
    libc.bind(source, target)


TASKS = {
    task.__name__: task
    for task in (
        run, run_together, serve, prepare_bare, start_bare, end_bare, first_instruction, look,
        memory_of, processes_of, read, kill, cpu_time_of, last_number,
        count_bare, bind, cpu_time_of_programs,
    )
}  # fmt: skip
