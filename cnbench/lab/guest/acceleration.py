"""Whether KVM really works here: proven once by booting a guest, and remembered.

``/dev/kvm`` may be there, open, and create a machine that then never boots a stock kernel (seen on
machines that are guests themselves), so nothing less than a boot proves anything.
"""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path

from cnbench.lab import commands
from cnbench.lab.guest import qemu
from cnbench.lab.guest.build import cache
from cnbench.lab.guest.build.code import empty_disk
from cnbench.lab.guest.build.images import Image
from cnbench.lab.guest.build.kernels import Kernel
from cnbench.lab.guest.errors import GuestError
from cnbench.lab.guest.machine import boot
from cnbench.lab.guest.qemu import Accelerator, Hardware

_KVM = Path("/dev/kvm")
# A stock kernel is up within two seconds under KVM, and takes more than ten under emulation.
_PROOF_SECONDS = 8.0
_ANSWER = "answer.json"


def best_accelerator(kernel: Kernel, userland: Image) -> Accelerator:
    """``kvm`` where a guest has been seen to boot with it on this machine, else ``tcg``.

    The first call for a combination of host kernel, processor, QEMU and access right takes up to
    eight seconds; the answer is kept in the cache.

    Raises:
        UnsupportedError: QEMU is not installed.
    """
    if _barred():
        return "tcg"
    if _remembered() is None:
        reason = _why_not(kernel, userland)
        with cache.publishing(_place()) as building:
            (building / _ANSWER).write_text(json.dumps({"works": not reason, "reason": reason}))
    return "tcg" if _remembered() else "kvm"


def what_is_known() -> str:
    """What guests on the wall clock run on here, in a few words; nothing is tried for it.

    Raises:
        UnsupportedError: QEMU is not installed.
    """
    reason = _barred() or _remembered()
    if reason is None:
        return "KVM, if it works: the first guest on the wall clock tries it"
    return f"emulation: {reason}" if reason else "KVM: a guest has booted with it"


def _barred() -> str:
    """Why KVM need not be tried; empty where it may."""
    if not _KVM.exists():
        return f"this machine has no {_KVM}"
    return "" if os.access(_KVM, os.R_OK | os.W_OK) else f"this user may not open {_KVM}"


def _remembered() -> str | None:
    """Why KVM did not work when it was tried, empty if it did; None if it was not tried yet."""
    try:
        answer = json.loads((_place() / _ANSWER).read_text())
    except FileNotFoundError:
        return None
    return "" if answer["works"] else str(answer["reason"])


def _place() -> Path:
    return cache.folder() / "guest" / "kvm" / _machine_key()


def _machine_key() -> str:
    """The digest of what the answer depends on."""
    version = commands.run([qemu.PROGRAM, "--version"]).stdout.splitlines()[0]
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = sorted({line for line in lines if line.startswith(("model name", "vendor_id"))})
    return cache.text_digest(platform.release(), version, *models)[:24]


def _why_not(kernel: Kernel, userland: Image) -> str:
    """Empty if a guest boots with KVM in time, else why it did not."""
    hardware = Hardware("wall", "kvm")
    try:
        with boot(kernel, userland, hardware, empty_disk(), timeout=_PROOF_SECONDS):
            return ""
    except GuestError as error:
        return str(error)
