"""Packages whose names are imported when they are first asked for (PEP 562).

A package's front lists what it offers; importing all of that would make every reader of one small
module pay for the largest. Type checkers read the front's ``TYPE_CHECKING`` imports instead.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping


def lazily(package: str, homes: Mapping[str, tuple[str, ...]]) -> Callable[[str], object]:
    """A ``__getattr__`` for ``package``: each name comes from the module that ``homes`` gives it.

    Args:
        package: the package's ``__name__``.
        homes: module to the names that it defines.
    """
    home_of = {name: module for module, names in homes.items() for name in names}

    def named(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        value = getattr(importlib.import_module(home_of[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return named
