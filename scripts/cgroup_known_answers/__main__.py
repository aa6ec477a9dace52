"""Hold cgroup controllers against answers that are known beforehand; exits with 1 if one is missed.

    .venv/bin/python scripts/cgroup_known_answers

As root, on a machine that does nothing else; half a minute. Nothing of cnbench is used: the groups,
the processes and the disk are made here, with the kernel's own files. What a machine has not is
said, and is no miss. In a guest, with cgroup v2, on whose virtual clock no other machine weighs:

    .venv/bin/python -m zipapp scripts/cgroup_known_answers -o answers.pyz
    cnbench guest run --clock instructions -- sh -c \
        "echo $(base64 -w0 answers.pyz) | base64 -d >/tmp/answers && python3 /tmp/answers"
"""

from __future__ import annotations

import os
import sys

from answering import AbsentError, missed
from cpu_time import accounting, shares
from disks import io
from memory import memory, pressure, reclaim
from tasks import cpuset, devices, freezer, internal_processes, pids

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
