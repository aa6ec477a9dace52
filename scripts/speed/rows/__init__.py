"""The rows, each file's in its ``ROWS``: whoever adds a file here has added a row."""

from __future__ import annotations

import importlib
import pkgutil

from speed.row import Row


def all_rows() -> list[Row]:
    """Every row, in the order of the files."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [row for name in names for row in importlib.import_module(f"{__name__}.{name}").ROWS]
