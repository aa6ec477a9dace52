"""Packages whose names are imported when they are first asked for (PEP 562).

A package's front lists what it offers; importing all of that would make every reader of one small
module pay for the largest. Type checkers read the front's ``TYPE_CHECKING`` imports instead.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping


def lazily(
    package: str, homes: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` for ``package``.

    Args:
        package: its ``__name__``.
        homes: module to the names that it defines and the package offers.
    """
    home_of = {name: module for module, names in homes.items() for name in names}

    def named(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        value = getattr(importlib.import_module(home_of[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def offered() -> list[str]:
        own = {name for name in vars(sys.modules[package]) if name.startswith("__")}
        return sorted(own | set(home_of))

    return named, offered
