"""Where asv's benchmarks are measured: on the host's clock, or counted in a guest that is built.

asv has one machine and one unit a benchmark, so this is decided once for a whole ``asv run``, by
what is in the cache: `cnbench guest build` is the switch. It names the machine too.
"""

from __future__ import annotations

from cnbench.core.venue import HOST, Venue
from cnbench.lab import commands
from cnbench.lab.guest.build.images import built_userland
from cnbench.lab.guest.build.kernels import built_kernel

KERNEL = "trixie"

_EMULATOR = "qemu-system-x86_64"


def venue_for(counted: bool) -> Venue:
    """Where to measure what is ``counted`` in instructions if that can be, or else on the host."""
    if counted and guest_name() is not None:
        return Venue("guest", "instructions", KERNEL)
    return HOST


def guest_name() -> str | None:
    """The guest's kernel and what its files are, as part of a machine's name; None without one.

    The code that measures is no part of it, as asv keeps that apart by commit.
    """
    kernel, userland = built_kernel(KERNEL), built_userland()
    if kernel is None or userland is None or commands.find(_EMULATOR) is None:
        return None
    return f"{kernel.release}-{kernel.digest[:8]}-{userland.digest[:8]}"
