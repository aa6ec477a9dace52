"""Whether a pidfd's inode number tells processes apart."""

from __future__ import annotations

import os
from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.lab.host import Lab


def _descriptors(count: int, kind: str) -> list[int]:
    if kind == "processes":
        return [os.pidfd_open(pid) for pid in (os.getpid(), os.getppid())[:count] * (3 - count)]
    return [os.memfd_create(f"file-{number}") for number in range(count)]


def _probe(lab: Lab, count: int = 2, kind: str = "processes") -> str:
    descriptors = _descriptors(count, kind)
    try:
        numbers = {os.fstat(descriptor).st_ino for descriptor in descriptors}
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    return "one each" if len(numbers) == len(descriptors) else "one for all"


BEHAVIOUR = Behaviour(
    name="processes.pidfd-number",
    question="Does a pidfd's inode number tell which process it is of?",
    method="compares the inode numbers of the pidfds of two processes",
    matters="a supervisor that knows processes by it takes all for one where there is one number",
    source="fs/pidfs.c: before pidfs all pidfds shared the inode of anon_inodefs",
    probe=_probe,
    controls=(partial(_probe, count=1), partial(_probe, kind="files")),
)
