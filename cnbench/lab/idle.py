"""Runs whenever a processor would be idle, and gives way at once to whatever wakes (sched(7)).

Run as a script of its own; it starts stopped. The argument is the process that it must not outlive.
"""

from __future__ import annotations

import os
import signal
import sys

if __name__ == "__main__":
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the run that started this process is gone")
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    os.kill(os.getpid(), signal.SIGSTOP)
    while True:
        pass
