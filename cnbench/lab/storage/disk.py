"""The disk below a folder: what decides how long a sync takes there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cnbench.lab.storage import mounts


def describe(folder: Path) -> Mapping[str, str]:
    """The file system that ``folder`` is on, and its device's cache and scheduler, by name.

    A device's settings are left out where there is none (tmpfs) or the kernel does not show it.
    """
    found = {"temporary files": mounts.filesystem_of(folder)}
    number = folder.stat().st_dev
    device = Path("/sys/dev/block", f"{os.major(number)}:{os.minor(number)}")
    # A partition has no queue of its own; its disk is the folder above.
    for queue in (device.resolve() / "queue", device.resolve().parent / "queue"):
        for setting in ("write_cache", "scheduler", "rotational"):
            if device.exists() and (queue / setting).exists():
                found[f"disk {setting}"] = (queue / setting).read_text().strip()
    return found
