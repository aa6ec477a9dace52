"""Kernel releases: which one comes first, and when each was built."""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from cnbench.core.errors import CnbenchError

# The text that a kernel prints first when it boots (linux_banner in init/version.c).
_BANNER = re.compile(rb"Linux version (\d\S*) ([^\0\n]+)")
# Debian puts its package's version and the day of the package's changelog where others have the
# time of the build.
_DEBIAN_DAY = re.compile(r"\((\d{4}-\d\d-\d\d)\)$")
_BUILD_TIME = re.compile(r"\w{3} (\w{3}) +(\d{1,2}) \d\d:\d\d:\d\d \S+ (\d{4})$")


@dataclass(frozen=True)
class KernelRelease:
    """One kernel.

    Attributes:
        name: what ``uname -r`` says.
        built: the day that the kernel itself names as that of its build.
        description: what else it says of itself: compiler, options, the package's version.
    """

    name: str
    built: date
    description: str


def release_order(name: str) -> tuple[int, ...]:
    """A key that sorts ``uname -r`` texts by version: 5.10 before 6.1, 6.1 before 6.12."""
    return tuple(map(int, re.findall(r"\d+", name)))


def read_release(vmlinux: Path) -> KernelRelease:
    """The release of an uncompressed kernel, out of its own banner.

    Raises:
        CnbenchError: the file cannot be read, or has no banner with a date.
    """
    try:
        with (
            vmlinux.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image,
        ):
            found = _BANNER.search(image)
            parts = [part.decode("ascii", "replace") for part in found.groups()] if found else []
    except (OSError, ValueError) as error:
        raise CnbenchError(f"the kernel {vmlinux} cannot be read: {error}") from error
    if not parts:
        raise CnbenchError(f"{vmlinux} does not say which Linux it is")
    name, description = parts
    return KernelRelease(name, _day_in(description, name), description)


def _day_in(description: str, name: str) -> date:
    if debian := _DEBIAN_DAY.search(description):
        return date.fromisoformat(debian[1])
    if built := _BUILD_TIME.search(description):
        month, day, year = built.groups()
        return datetime.strptime(f"{month} {day} {year}", "%b %d %Y").replace(tzinfo=UTC).date()
    raise CnbenchError(
        f"the kernel {name} does not say when it was built: {description}",
        "leave it out of --kernels",
    )
