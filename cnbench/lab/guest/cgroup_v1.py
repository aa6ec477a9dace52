"""Moving a guest's cpu controller to cgroup v1, before anything is made with it.

A kernel has each controller on one version at a time. It lets one go from v2 to a new v1 mount
while no group has it (rebind_subsystems in kernel/cgroup/cgroup.c), as in a guest that has just
started: so one image, one kernel and one saved state serve for both versions.
"""

from __future__ import annotations

from pathlib import Path

from cnbench.lab.storage import mounts

_FOLDER = Path("/run/cgroup-v1/cpu")
_CONTROLLERS = "cpu,cpuacct"


def mount() -> None:
    """Mount the cpu controller and its accounting as cgroup v1, for as long as the guest lives.

    Raises:
        UnsupportedError: this kernel has it on v2 alone.
    """
    _FOLDER.mkdir(parents=True, exist_ok=True)
    mounts.mount("cgroup", _FOLDER, "cgroup", _CONTROLLERS)
