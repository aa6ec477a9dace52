"""A busy thread that watches its own clock for the times it was kept off the CPU.

Run as a script of its own, one process a thread, so that nothing but the controller holds it back.
The arguments are the descriptor of a memory file, a slot number in it, and the process that this
one must not outlive: the kernel only kills it with a parent that dies after it asked for that.
"""

from __future__ import annotations

import mmap
import os
import sys
import time

# A slot: the sample that the reader asks for, the one the gap belongs to, and the gap.
WORDS = 3
ASKED, ANSWERED, LONGEST_GAP = range(WORDS)


def spin(board: memoryview, slot: int) -> None:
    """Read the clock for ever, and keep the longest gap (ns) between two readings on the board."""
    asked, answered, longest_gap = (slot * WORDS + word for word in range(WORDS))
    clock = time.perf_counter_ns
    longest = 0
    before = clock()
    while True:
        now = clock()
        if now - before > longest:
            longest = board[longest_gap] = now - before
        before = now
        if board[asked] != board[answered]:
            board[answered] = board[asked]
            longest = board[longest_gap] = 0


if __name__ == "__main__":
    descriptor, own_slot, parent = map(int, sys.argv[1:4])
    if os.getppid() != parent:
        sys.exit("the run that started this thread is gone")
    spin(memoryview(mmap.mmap(descriptor, 0)).cast("q"), own_slot)
