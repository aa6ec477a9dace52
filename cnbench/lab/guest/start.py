"""Starting a guest that is ready to measure: the one call that the sampler's side needs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.core.metric import ClockName
from cnbench.lab import commands
from cnbench.lab.guest import initramfs, qemu, saved
from cnbench.lab.guest.acceleration import best_accelerator
from cnbench.lab.guest.build.cache import require_digest
from cnbench.lab.guest.build.code import ensure_code
from cnbench.lab.guest.build.images import (
    BUILDER,
    Image,
    Progress,
    built_userland,
    ensure_userland,
)
from cnbench.lab.guest.build.kernels import Kernel, built_kernel, ensure_kernel
from cnbench.lab.guest.errors import GuestError
from cnbench.lab.guest.machine import Machine, boot, restore
from cnbench.lab.guest.qemu import Hardware, Tracing

_COUNTING = Hardware("instructions", "tcg")


@contextlib.contextmanager
def guest(
    kernel: str,
    clock: ClockName,
    progress: Progress = lambda _: None,
    imports: Sequence[str] = (),
    userland: str = "",
) -> Iterator[Machine]:
    """A guest with ``kernel`` and ``userland`` (of ``images.USERLANDS``), measuring code at hand.

    An emulated guest goes on from a saved state, in which ``imports`` (modules) are in memory; the
    first one of its kind is booted to make that.

    Raises:
        UnsupportedError: no image is built, or QEMU is missing.
        GuestError: it did not start.
    """
    found, image = check_digests(kernel, userland)
    accelerator = best_accelerator(found, image) if clock == "wall" else "tcg"
    hardware = Hardware(clock, accelerator)
    code = ensure_code(image)
    if accelerator == "kvm":
        # Boots in about a second, and its state would be bound to this processor.
        with boot(found, image, hardware, code) as machine:
            machine.ask({"do": "attach"})
            yield machine
        return

    def restored(stack: contextlib.ExitStack) -> Machine:
        state = saved.ensure_attached_state(found, image, hardware, code, imports, progress)
        return stack.enter_context(restore(found, image, hardware, code, state))

    with contextlib.ExitStack() as stack:
        try:
            machine = restored(stack)
        except FileNotFoundError:
            # Another run could not read one of this machine's states, and has forgotten them all.
            machine = restored(stack)
        except GuestError as error:
            progress(f"{error}; booting anew")
            saved.forget(found, image, hardware)
            machine = restored(stack)
        yield machine


def setup_name(kernel: str, imports: Sequence[str], key: str, userland: str = "") -> str:
    """What a set-up is saved under that a counting guest of ``kernel`` made as ``key`` says.

    Raises:
        UnsupportedError: no image is built, or QEMU is missing.
    """
    found, image = check_digests(kernel, userland)
    return saved.setup_name(found, image, _COUNTING, ensure_code(image), imports, key)


@contextlib.contextmanager
def guest_as_saved(
    kernel: str, state: Path, userland: str = "", tracing: Tracing | None = None
) -> Iterator[Machine]:
    """A counting guest of ``kernel`` that goes on from ``state``, in which a module runs.

    All that it executes is watched by ``tracing``, if that is given.

    Raises:
        UnsupportedError: no image is built, or QEMU is missing.
        GuestError: the state could not be read.
    """
    found, image = check_digests(kernel, userland)
    with restore(found, image, _COUNTING, ensure_code(image), state, tracing) as machine:
        yield machine


def is_built(kernel: str, userland: str = "") -> bool:
    """Whether a guest with ``kernel`` could be started without fetching anything."""
    return built_userland(userland) is not None and built_kernel(kernel) is not None


def require(kernel: str, userland: str = "") -> None:
    """Raise UnsupportedError where a guest with ``kernel`` can be neither started nor built."""
    commands.require(qemu.PROGRAM)
    if not is_built(kernel, userland):
        commands.require(BUILDER)


def ensure_built(kernel: str, progress: Progress = lambda _: None, userland: str = "") -> None:
    """Build what a guest with ``kernel`` is made of, where it is not in the cache.

    Raises:
        GuestError: the mirror cannot be reached, or none is configured.
        UnsupportedError: QEMU is missing, or what builds.
    """
    require(kernel, userland)
    if not is_built(kernel, userland):
        ensure_userland(progress, name=userland)
        ensure_kernel(kernel, progress)


def check_digests(kernel: str, userland: str = "") -> tuple[Kernel, Image]:
    """What a guest with ``kernel`` is made of, looked at once a process if that is root's.

    Raises:
        UnsupportedError: it is not built, or has changed since.
    """
    found, image = _built(kernel, userland)
    require_digest(image.digest, image.path)
    require_digest(found.digest, found.vmlinux, found.modules)
    return found, image


def digest(kernel: str, userland: str = "") -> str:
    """What the guest's files are, for the fingerprint: userland, kernel, and what boots them.

    Raises:
        UnsupportedError: they are not built.
    """
    found, image = _built(kernel, userland)
    first_root = initramfs.digest(found, image)
    return "-".join(part[:12] for part in (image.digest, found.digest, first_root))


def _built(kernel: str, userland: str) -> tuple[Kernel, Image]:
    found, image = built_kernel(kernel), built_userland(userland)
    if found is None or image is None:
        raise UnsupportedError(
            f"the guest with the kernel of {kernel} is not built yet",
            f"cnbench guest build --kernel {kernel}",
        )
    return found, image
