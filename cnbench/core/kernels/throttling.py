"""How a kernel throttles a group that has used up its CPU quota: what changed, and when."""

from __future__ import annotations

import re

# What a fingerprint's behaviour calls it.
THROTTLING = "throttling"


def throttling_era(release: str) -> str:
    """The way of the kernel ``release`` (``uname -r``), the same for all kernels of an era.

    Commit de53fd7aedb1 (5.4) removed the expiry of unused slices; the rework merged for 6.18
    throttles a task only when it returns to user space.
    """
    version = tuple(map(int, re.findall(r"\d+", release)[:2]))
    if version < (5, 4):
        return "slices expire (before 5.4)"
    if version < (6, 18):
        return "the group at once (5.4 to 6.17)"
    return "each task at its return to user space (from 6.18)"
