"""A venue: where cases are measured, and what time is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cnbench.core.metric import ClockName

CgroupVersion = Literal["", "v1", "v2"]


@dataclass(frozen=True)
class Venue:
    """A lab with a clock, and for a guest what it is booted with.

    Attributes:
        lab: ``host`` or ``guest``.
        clock: what time means there.
        kernel: the guest's kernel as asked for (a suite or a file); empty on the host.
        cgroup: the version of cgroup that has a guest's controllers, since a machine has each of
            them on one version at a time; empty on the host, which is as it is.
        userland: which of a guest's userlands it is booted into; empty for the usual one.
    """

    lab: str
    clock: ClockName
    kernel: str = ""
    cgroup: CgroupVersion = ""
    userland: str = ""


HOST = Venue("host", "wall")
