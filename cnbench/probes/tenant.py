"""A process that lives in a cgroup, does what it is told, and says what each thing took.

Run as a script of its own, so that it alone is in the group. It reads one JSON list a line, the
name of a task and its arguments, and answers with a line of JSON. Times are ``perf_counter_ns``.
The arguments are the descriptor of a socket, and the process that this one must not outlive.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

_PAGE = mmap.PAGESIZE
_PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
# From linux/prctl.h: no huge pages, which are charged 512 pages at a time.
_PR_SET_THP_DISABLE = 41
_PR_SET_PDEATHSIG = 1
_MAP_HUGETLB = 0x40000

_clock = time.perf_counter_ns
_libc = ctypes.CDLL(None, use_errno=True)


def populate(pages: int) -> int:
    """Have ``pages`` of anonymous memory put there by one system call, and give them back."""
    began = _clock()
    memory = mmap.mmap(-1, pages * _PAGE, flags=_PRIVATE | mmap.MAP_POPULATE)
    took = _clock() - began
    memory.close()
    return took


def touch(board: int, most: int) -> int:
    """Touch up to ``most`` pages one by one, noting the count and the time on ``board``."""
    shared = memoryview(mmap.mmap(board, 0)).cast("q")
    memory = mmap.mmap(-1, most * _PAGE, flags=_PRIVATE)
    for page in range(most):
        shared[1] = _clock()
        memory[page * _PAGE] = 1
        shared[0] = page + 1
    return most


def sacrifice(board: int, most: int) -> int:
    """Have a child ``touch`` whom the kernel kills first: the signal that ended it, or 0."""
    child = os.fork()
    if child == 0:
        with open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123
            score.write("1000")
        touch(board, most)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def grow(room: int, excess: int, board: int = -1) -> int:
    """Touch ``room`` pages and then ``excess`` more, and give them back: the time of the latter.

    When that began is noted on ``board``, if there is one.
    """
    memory = mmap.mmap(-1, (room + excess) * _PAGE, flags=_PRIVATE)
    for page in range(room):
        memory[page * _PAGE] = 1
    began = _clock()
    if board >= 0:
        memoryview(mmap.mmap(board, 0)).cast("q")[0] = began
    for page in range(room, room + excess):
        memory[page * _PAGE] = 1
    took = _clock() - began
    memory.close()
    return took


def open_often(path: str, count: int) -> list[int]:
    """Open ``path`` ``count`` times: the time of all, and how many were refused with EPERM."""
    refused = 0
    began = _clock()
    for _ in range(count):
        try:
            os.close(os.open(path, os.O_RDONLY))
        except PermissionError:
            refused += 1
    return [_clock() - began, refused]


def fork_often(count: int) -> int:
    """Fork and reap ``count`` children that end at once, and give the time of all."""
    began = _clock()
    for _ in range(count):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    return _clock() - began


def fork_until_refused(most: int) -> list[int]:
    """Fork up to ``most`` children that stay, and end them: how many there were, and the errno."""
    children: list[int] = []
    number = 0
    try:
        while len(children) < most:
            child = os.fork()
            if child == 0:
                signal.pause()
                os._exit(0)
            children.append(child)
    except OSError as error:
        number = error.errno or 0
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return [len(children), number]


def thread_until_refused(most: int) -> list[int]:
    """Start up to ``most`` threads that stay, and end them: as ``fork_until_refused``."""
    over = threading.Event()
    threads: list[threading.Thread] = []
    number = 0
    threading.stack_size(64 * 1024)
    try:
        while len(threads) < most:
            thread = threading.Thread(target=over.wait)
            thread.start()
            threads.append(thread)
    except RuntimeError:  # Python tells pthread_create's errno to nobody; it is EAGAIN alone
        number = errno.EAGAIN
    over.set()
    for thread in threads:
        thread.join()
    return [len(threads), number]


def write(path: str, block: int, blocks: int, direct: int) -> list[int]:
    """Write ``blocks`` of ``block`` bytes, cached or not: the time of all, and of the first."""
    flags = os.O_WRONLY | (os.O_DIRECT if direct else 0)
    descriptor = os.open(path, flags)
    buffer = mmap.mmap(-1, block)  # which is aligned, as direct I/O wants it
    try:
        began = _clock()
        first = 0
        for position in range(blocks):
            os.pwrite(descriptor, buffer, position * block)
            first = first or _clock() - began
        return [_clock() - began, first]
    finally:
        os.close(descriptor)


def write_between(path: str, block: int, first: int, size: int, began: int, ended: int) -> int:
    """Write blocks past the page cache until ``ended``: how many were done since ``began``.

    Both are readings of the clock; the blocks go in turn to the ``size`` bytes from ``first`` on.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_DIRECT)
    buffer = mmap.mmap(-1, block)
    try:
        done = position = 0
        while _clock() < ended:
            os.pwrite(descriptor, buffer, first + position)
            position = (position + block) % size
            done += began <= _clock() < ended
        return done
    finally:
        os.close(descriptor)


def fill(path: str, size: int) -> int:
    """Write a new file of ``size`` bytes through the page cache, which has it clean then."""
    with open(path, "wb") as file:  # noqa: PTH123
        written = file.write(bytes(size))
        file.flush()
        os.fsync(file.fileno())
    return written


def use_cpu(nanoseconds: int) -> int:
    """Use CPU time, and give how much it was: the kernel's own account of this process."""
    clock = time.process_time_ns
    began = clock()
    while clock() - began < nanoseconds:
        pass
    return clock() - began


def cpus(nanoseconds: int, board: int) -> int:
    """Stay busy for so long at most, noting on ``board`` since when this is on which processor.

    Its third word ends it.
    """
    shared = memoryview(mmap.mmap(board, 0)).cast("q")
    end = _clock() + nanoseconds
    last = -1
    while _clock() < end and not shared[2]:
        here = _libc.sched_getcpu()
        if here != last:
            shared[1] = _clock()  # before the other, which is waited for
            shared[0] = last = here
    return last


def send_often(port: int, count: int) -> int:
    """Send ``count`` datagrams to ``port`` over loopback from one socket: the time of all."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        sender.send(b".")  # the route is there now
        began = _clock()
        for _ in range(count):
            sender.send(b".")
        return _clock() - began


def reserve(size: int) -> list[int]:
    """Map ``size`` bytes of huge pages: the time that takes, and the errno where it is refused."""
    began = _clock()
    try:
        memory = mmap.mmap(-1, size, flags=_PRIVATE | _MAP_HUGETLB)
    except OSError as error:
        return [_clock() - began, error.errno or 0]
    took = _clock() - began
    memory.close()
    return [took, 0]


def sleeper() -> int:
    """The number of a child that sleeps, and goes with this process."""
    child = os.fork()
    if child == 0:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.pause()
        os._exit(0)
    return child


def reap(child: int) -> int:
    """Wait for the end of a child: the signal that ended it."""
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def multiply(count: int, board: int, pause: float) -> int:
    """Have ``count`` children that count on ``board`` and pause for seconds; they die with this."""
    shared = memoryview(mmap.mmap(board, 0)).cast("q")
    for slot in range(count):
        if os.fork() == 0:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            while True:
                shared[slot] += 1
                time.sleep(pause)
    return count


TASKS: dict[str, Callable[..., object]] = {
    task.__name__: task
    for task in (
        populate, sacrifice, grow, open_often, fork_often, fork_until_refused, thread_until_refused,
        write, write_between, fill, use_cpu, cpus, send_often, reserve, sleeper, reap, multiply,
    )
}  # fmt: skip

if __name__ == "__main__":
    descriptor, parent = map(int, sys.argv[1:3])
    if os.getppid() != parent:
        sys.exit("the run that started this process is gone")
    _libc.prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)
    with socket.socket(fileno=descriptor) as connection, connection.makefile("rw") as lines:
        while line := lines.readline():
            name, *arguments = json.loads(line)
            try:
                answer: object = {"said": TASKS[name](*arguments)}
            except OSError as error:
                answer = {"refused": f"{name}: {error.strerror}"}
            lines.write(json.dumps(answer) + "\n")
            lines.flush()
