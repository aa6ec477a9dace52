"""From addresses to functions."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

USER_SPACE = "[user space]"
_UNKNOWN = "[unknown]"
# What compilers add to the names of parts and variants of a function.
_VARIANT = re.compile(r"(\.(cold|isra|part|constprop|llvm)(\.\d+)?)+$")
_KERNEL = 1 << 63


@dataclass(frozen=True)
class Functions:
    """The functions of a kernel, by address.

    Attributes:
        address: where each begins, ascending; shape (functions,).
        name: its name, followed by its module in brackets where it has one.
    """

    address: NDArray[np.uint64]
    name: tuple[str, ...]

    def at(self, address: int) -> str:
        """The function that has the instruction at ``address``."""
        if not address & _KERNEL:
            return USER_SPACE
        place = int(np.searchsorted(self.address, np.uint64(address), side="right")) - 1
        return self.name[place] if place >= 0 else _UNKNOWN


def functions_of(listing: str) -> Functions:
    """From lines of /proc/kallsyms, which are functions; of several at one address the first.

    Parts and variants that a compiler made of a function have its name.
    """
    by_address: dict[int, str] = {}
    for line in listing.splitlines():
        address, _, name, *module = line.split()
        plain = _VARIANT.sub("", name)
        by_address.setdefault(int(address, 16), " ".join([plain, *module]))
    ordered = sorted(by_address)
    return Functions(np.array(ordered, dtype=np.uint64), tuple(by_address[at] for at in ordered))
