"""Saved states: a guest that was booted once, and goes on from there ever after.

Booting under emulation takes many seconds; reading a saved state takes a fraction of one. A state
is kept under a digest of all that went into it, so it can never be that of another machine.

There are two kinds. One is just after the boot; the measuring code is not in it, since that comes
on a disk which the guest looks at only after it goes on. The other goes on from there, and is saved
again with one version of that code imported, which takes the guest seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cnbench.lab import commands
from cnbench.lab.guest import cache, initramfs, qemu
from cnbench.lab.guest.code import empty_disk
from cnbench.lab.guest.images import Image, Progress
from cnbench.lab.guest.kernels import Kernel
from cnbench.lab.guest.machine import boot, restore
from cnbench.lab.guest.qemu import Hardware

_FORMAT = 1
_KEPT = 8


def ensure_state(
    kernel: Kernel, userland: Image, hardware: Hardware, progress: Progress = lambda _: None
) -> Path:
    """The file of a guest's state just after its boot, made now if it is not there (some 10 s).

    Raises:
        UnsupportedError: QEMU is not installed.
        GuestError: the guest did not boot, or its state could not be written.
    """
    place = _folder() / machine_digest(kernel, userland, hardware)[:24]
    state = place / "state"
    if not state.is_file():
        progress(f"booting {kernel.release} once, to go on from there from now on")
        with cache.publishing(place) as building:
            with boot(kernel, userland, hardware, empty_disk()) as machine:
                machine.monitor.save(building / "state")
            (building / "guest").write_text(f"{kernel.name} {kernel.release}\n")
        cache.forget_unused(_folder(), _KEPT)
    cache.used(place)
    return state


def ensure_attached_state(
    kernel: Kernel,
    userland: Image,
    hardware: Hardware,
    code: Path,
    imports: Sequence[str],
    progress: Progress = lambda _: None,
) -> Path:
    """The file of a guest's state with the disk ``code`` attached and ``imports`` in memory.

    Made now if it is not there, from the state after the boot.

    Raises:
        UnsupportedError: QEMU is not installed.
        GuestError: the guest did not boot, or its state could not be written.
    """
    machine_and_code = (machine_digest(kernel, userland, hardware), code.parent.name, *imports)
    place = _folder() / cache.text_digest(*machine_and_code)[:24]
    state = place / "state"
    if not state.is_file():
        booted = ensure_state(kernel, userland, hardware, progress)
        progress("importing the measuring code once")
        with cache.publishing(place) as building:
            with restore(kernel, userland, hardware, code, booted) as machine:
                machine.ask({"do": "attach", "import": list(imports)})
                machine.monitor.save(building / "state")
            (building / "guest").write_text(f"{kernel.name} {kernel.release} {code.parent.name}\n")
        cache.forget_unused(_folder(), _KEPT)
    cache.used(place)
    return state


def forget_all() -> None:
    """Remove all states, so that the next guest boots anew."""
    cache.remove(_folder())


def _folder() -> Path:
    return cache.folder() / "guest" / "states"


def machine_digest(kernel: Kernel, userland: Image, hardware: Hardware) -> str:
    """The digest of all that a guest is made of, but for the measuring code: equal, equal guest.

    Raises:
        UnsupportedError: QEMU is not installed.
    """
    first_root = initramfs.digest(kernel, userland)
    machine = qemu.machine_arguments(hardware)
    everything = (str(_FORMAT), _qemu_version(), kernel.digest, userland.digest, first_root)
    return cache.text_digest(*everything, *machine)


def _qemu_version() -> str:
    return commands.run([qemu.PROGRAM, "--version"]).stdout.splitlines()[0]
