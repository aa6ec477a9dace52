"""Parts that a package finds in itself: a module each, under a name that all of them use."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from typing import Any


def parts_of(package: str, attribute: str) -> Iterator[Any]:
    """The ``attribute`` of every module of ``package`` that has one, by the modules' names.

    Args:
        package: its ``__name__``; it must have been imported.
        attribute: such as ``BACKEND``; what type it has is between its package and its modules.
    """
    for module in pkgutil.iter_modules(sys.modules[package].__path__):
        imported = importlib.import_module(f"{package}.{module.name}")
        if hasattr(imported, attribute):
            yield getattr(imported, attribute)
