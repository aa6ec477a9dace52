"""The rows, those of a file by its ``rows``: whoever adds a file here has added its rows."""

from __future__ import annotations

import importlib
import pkgutil

from speed.row import Row


def all_rows(*, reduced: bool) -> list[Row]:
    """Every row, in the order of the files; ``reduced`` to sizes that show that all of it works."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return [row for module in modules for row in module.rows(reduced=reduced)]
