"""A busy thread that watches its own clock for the times it was kept off the CPU.

Run as a script of its own, one process a thread, so that nothing but the controller holds it back.
The arguments are the descriptor of a memory file, a slot number in it, the process that this one
must not outlive (the kernel only kills it with a parent that dies after it asked for that), and the
load: ``spin`` stays in user space, ``syscall`` is in the kernel nearly all the time.
"""

from __future__ import annotations

import mmap
import os
import sys
import time
from collections.abc import Callable

# A slot: since when gaps are asked for, since when the gap is the longest, the gap, the last look.
# All in ns, times by perf_counter_ns.
WORDS = 4
ASKED, ANSWERED, LONGEST_GAP, LAST_LOOK = range(WORDS)


# CPU time of a long system call: some timer ticks, whatever the kernel's HZ.
_LONG_NS = 30_000_000
_BUFFER = 8 * 2**20
# The kernel reads less than 2 GiB at a time (MAX_RW_COUNT in linux/fs.h).
_MOST_BUFFERS = 2**31 // _BUFFER - 1


def nothing() -> int:
    """Stay in user space, for no time to speak of."""
    return 0


def long_system_calls() -> Callable[[], int]:
    """A call that is long in the kernel, and needs no device and no memory anew.

    It gives the CPU time that it took, in ns.
    """
    zeros = os.open("/dev/zero", os.O_RDONLY)
    buffer = bytearray(_BUFFER)
    os.readv(zeros, [buffer])  # has the memory there
    began = time.thread_time_ns()
    os.readv(zeros, [buffer])
    once = max(1, time.thread_time_ns() - began)
    buffers = [buffer] * min(_MOST_BUFFERS, max(1, _LONG_NS // once))

    def read() -> int:
        began = time.thread_time_ns()
        os.readv(zeros, buffers)
        return time.thread_time_ns() - began

    return read


def spin(board: memoryview, slot: int, work: Callable[[], int]) -> None:
    """Work for ever; keep the longest gap (ns) between two looks at the clock on the board.

    Less the CPU time that ``work`` says it took: a thread that is in a system call is not stalled.
    """
    asked, answered, longest_gap, last_look = (slot * WORDS + word for word in range(WORDS))
    clock = time.perf_counter_ns
    longest = 0
    before = clock()
    while True:
        busy = work()
        now = clock()
        if now - before - busy > longest:
            longest = board[longest_gap] = now - before - busy
        before = board[last_look] = now
        if board[asked] != board[answered]:
            # Of the gap that was there when it was asked, what came after.
            longest = board[longest_gap] = max(0, now - board[asked] - busy)
            board[answered] = board[asked]


if __name__ == "__main__":
    descriptor, own_slot, parent = map(int, sys.argv[1:4])
    load = long_system_calls() if sys.argv[4] == "syscall" else nothing
    if os.getppid() != parent:
        sys.exit("the run that started this thread is gone")
    spin(memoryview(mmap.mmap(descriptor, 0)).cast("q"), own_slot, load)
