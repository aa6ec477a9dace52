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

# A slot: the sample that is asked for, the one the gap belongs to, the gap, and the last look.
WORDS = 4
ASKED, ANSWERED, LONGEST_GAP, LAST_LOOK = range(WORDS)


# A read of this much from /dev/zero keeps a thread in the kernel for milliseconds.
_LONG_READ = 64 * 2**20


def nothing() -> None:
    """Stay in user space."""


def long_system_calls() -> Callable[[], object]:
    """A call that is in the kernel for milliseconds, and needs no device and no memory anew."""
    zeros = os.open("/dev/zero", os.O_RDONLY)
    buffer = [bytearray(_LONG_READ)]
    return lambda: os.readv(zeros, buffer)


def spin(board: memoryview, slot: int, work: Callable[[], object]) -> None:
    """Work for ever; keep the longest gap (ns) between two looks at the clock on the board."""
    asked, answered, longest_gap, last_look = (slot * WORDS + word for word in range(WORDS))
    clock = time.perf_counter_ns
    longest = 0
    before = clock()
    while True:
        work()
        now = clock()
        if now - before > longest:
            longest = board[longest_gap] = now - before
        before = board[last_look] = now
        if board[asked] != board[answered]:
            board[answered] = board[asked]
            longest = board[longest_gap] = 0


if __name__ == "__main__":
    descriptor, own_slot, parent = map(int, sys.argv[1:4])
    load = long_system_calls() if sys.argv[4] == "syscall" else nothing
    if os.getppid() != parent:
        sys.exit("the run that started this thread is gone")
    spin(memoryview(mmap.mmap(descriptor, 0)).cast("q"), own_slot, load)
