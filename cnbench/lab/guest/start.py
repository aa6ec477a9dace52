"""Starting a guest that is ready to measure: the one call that the sampler's side needs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cnbench.core.errors import UnsupportedError
from cnbench.core.metric import ClockName
from cnbench.lab.guest.code import ensure_code
from cnbench.lab.guest.images import Image, built_userland
from cnbench.lab.guest.kernels import Kernel, built_kernel
from cnbench.lab.guest.machine import Machine, running
from cnbench.lab.guest.qemu import Hardware


@contextlib.contextmanager
def guest(kernel: str, clock: ClockName) -> Iterator[Machine]:
    """A guest with ``kernel`` whose agent has the measuring code at hand.

    Raises:
        UnsupportedError: no image is built, or QEMU is missing.
        GuestError: it did not start.
    """
    found, userland = _built(kernel)
    with running(found, userland, Hardware(clock), ensure_code(userland)) as machine:
        machine.ask({"do": "attach"})
        yield machine


def is_built(kernel: str) -> bool:
    """Whether a guest with ``kernel`` could be started without building anything."""
    return built_userland() is not None and built_kernel(kernel) is not None


def digest(kernel: str) -> str:
    """What the guest's files are, for the fingerprint: userland and kernel."""
    found, userland = _built(kernel)
    return f"{userland.digest[:12]}-{found.digest[:12]}"


def _built(kernel: str) -> tuple[Kernel, Image]:
    found, userland = built_kernel(kernel), built_userland()
    if found is None or userland is None:
        raise UnsupportedError(
            f"the guest with the kernel of {kernel} is not built yet",
            f"cnbench guest build --kernel {kernel}",
        )
    return found, userland
