"""Saved states: a guest that was booted once, and goes on from there ever after.

Booting under emulation takes many seconds; reading a saved state takes a fraction of one. A state
is kept under a digest of all that went into it, so it can never be that of another machine.

There are three kinds. One is just after the boot; the measuring code is not in it, since that comes
on a disk which the guest looks at only after it goes on. The second goes on from there, and is
saved again with one version of that code imported, which takes the guest seconds. The third goes on
from the second, and has set up what is to be measured (saved_setups.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from cnbench.lab import commands
from cnbench.lab.guest import initramfs, qemu, saved_setups
from cnbench.lab.guest.build import cache
from cnbench.lab.guest.build.code import empty_disk
from cnbench.lab.guest.build.images import Image, Progress
from cnbench.lab.guest.build.kernels import Kernel
from cnbench.lab.guest.machine import Machine, boot, restore
from cnbench.lab.guest.qemu import Hardware
from cnbench.lab.guest.randomness import fix_random_numbers

_FORMAT = 2
_KEPT = 8


def ensure_state(
    kernel: Kernel, userland: Image, hardware: Hardware, progress: Progress = lambda _: None
) -> Path:
    """The file of a guest's state just after its boot, made now if it is not there (some 10 s).

    Raises:
        UnsupportedError: QEMU is not installed.
        GuestError: the guest did not boot, or its state could not be written.
    """

    def booted() -> AbstractContextManager[Machine]:
        progress(f"booting {kernel.release} once, to go on from there from now on")
        return boot(kernel, userland, hardware, empty_disk())

    name = _name(kernel, userland, hardware)
    what = f"{kernel.name} {kernel.release}"
    return _ensure(_folder() / name, what, hardware, progress, booted)


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

    @contextlib.contextmanager
    def attached() -> Iterator[Machine]:
        state = ensure_state(kernel, userland, hardware, progress)
        progress("importing the measuring code once")
        with restore(kernel, userland, hardware, code, state) as machine:
            machine.ask({"do": "attach", "import": list(imports)})
            yield machine

    name = _attached_name(kernel, userland, hardware, code, imports)
    what = f"{kernel.name} {kernel.release} {code.parent.name}"
    return _ensure(_folder() / name, what, hardware, progress, attached)


def setup_name(
    kernel: Kernel,
    userland: Image,
    hardware: Hardware,
    code: Path,
    imports: Sequence[str],
    key: str,
) -> str:
    """What a set-up is saved under that was made as ``key`` says in such a guest."""
    attached = _attached_name(kernel, userland, hardware, code, imports)
    return f"{attached}-{cache.text_digest(key)[:16]}"


def forget(kernel: Kernel, userland: Image, hardware: Hardware) -> None:
    """Remove all states of a machine and its set-ups, so that the next one boots anew."""
    name = _name(kernel, userland, hardware)
    for place in _folder().glob(f"{name}*"):
        cache.remove(place)
    saved_setups.forget(name)


def _ensure(
    place: Path,
    what: str,
    hardware: Hardware,
    progress: Progress,
    open_machine: Callable[[], AbstractContextManager[Machine]],
) -> Path:
    """The state in ``place``, made of a machine opened for it where there is none: of ``what``."""

    def save(building: Path) -> None:
        with open_machine() as machine:
            if hardware.clock == "instructions":
                fix_random_numbers(machine, progress)
            machine.monitor.save(building / "state")
        (building / "guest").write_text(f"{what}\n")

    if not place.is_dir():
        cache.ensure(place, save)
        cache.forget_unused(_folder(), _KEPT)
    cache.used(place)
    return place / "state"


def _attached_name(
    kernel: Kernel, userland: Image, hardware: Hardware, code: Path, imports: Sequence[str]
) -> str:
    version = cache.text_digest(code.parent.name, *imports)[:12]
    return f"{_name(kernel, userland, hardware)}-{version}"


def _name(kernel: Kernel, userland: Image, hardware: Hardware) -> str:
    """What the names of all states of a machine begin with."""
    return machine_digest(kernel, userland, hardware)[:24]


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
