"""Whether pid_max is a pid namespace's own."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour
from cnbench.lab import libc
from cnbench.lab.host import Lab
from cnbench.lab.namespaces.children import in_child

_PID_MAX = Path("/proc/sys/kernel/pid_max")
_NEW_PID = 0x20000000  # CLONE_NEWPID in linux/sched.h
_FEW = "40000"


def _written_inside(value: str) -> str:
    """What a process in a new pid namespace reads after it wrote ``value``."""
    libc.unshare(_NEW_PID)
    come, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        _PID_MAX.write_text(value)
        os.write(go, _PID_MAX.read_bytes())
        os._exit(0)
    os.close(go)
    with os.fdopen(come) as said:
        found = said.read().strip()
    os.waitpid(pid, 0)
    return found


def _probe(lab: Lab, value: str = _FEW) -> str:
    before = _PID_MAX.read_text().strip()
    try:
        inside = in_child(lambda: _written_inside(value or before))
        return f"{inside} inside, {_PID_MAX.read_text().strip()} outside"
    finally:
        _PID_MAX.write_text(before)


BEHAVIOUR = Behaviour(
    name="namespaces.pid-max",
    question="Does a container that sets kernel.pid_max set it for itself alone?",
    method=f"writes {_FEW} in a new pid namespace, and reads it there and outside",
    matters="where it is everybody's, one privileged container limits the processes of the node",
    source="kernel/pid.c, kernel/pid_namespace.c: pid_max of struct pid_namespace",
    probe=_probe,
    controls=(partial(_probe, value=""),),
    changes_machine=True,
)
