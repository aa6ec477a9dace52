"""Which version of Landlock there is."""

from __future__ import annotations

import errno
from functools import partial

from cnbench.behaviours.behaviour import Behaviour, absent
from cnbench.behaviours.calls import landlock_version, refusal
from cnbench.lab.host import Lab

_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION


def _probe(lab: Lab, flags: int = _VERSION) -> str:
    try:
        return f"version {landlock_version(flags)}"
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP):
            return absent("Landlock")
        return refusal(error)


BEHAVIOUR = Behaviour(
    name="processes.landlock",
    question="Which version of Landlock can a sandbox build on?",
    method="asks landlock_create_ruleset for the version of its interface",
    matters="what a sandbox asks beyond that version is refused, or silently not held",
    source="security/landlock/syscalls.c: landlock_abi_version; landlock(7)",
    probe=_probe,
    controls=(partial(_probe, flags=1 << 31),),
)
