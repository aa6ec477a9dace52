"""Whether memfd_create knows MFD_EXEC."""

from __future__ import annotations

import os
from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.calls import refusal
from cnbench.lab.host import Lab

_EXEC = 0x10  # MFD_EXEC in linux/memfd.h
_NO_FLAG = 0x8000


def _probe(lab: Lab, flags: int = _EXEC) -> str:
    try:
        descriptor = os.memfd_create("cnbench", flags)
    except OSError as error:
        return refusal(error)
    os.close(descriptor)
    return "taken"


BEHAVIOUR = Behaviour(
    name="processes.memfd-exec",
    question="May who makes a memfd say that it is to be executed?",
    method="calls memfd_create with MFD_EXEC",
    matters="runtimes execute a sealed copy of themselves; with vm.memfd_noexec they must say so, "
    "and older kernels refuse the flag",
    source="mm/memfd.c, Documentation/userspace-api/mfd_noexec.rst",
    probe=_probe,
    controls=(partial(_probe, flags=0), partial(_probe, flags=_NO_FLAG)),
)
