"""Finding experiments: every module of this package that has an ``EXPERIMENT`` is one."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from cnbench import experiments
from cnbench.core.errors import UsageError
from cnbench.core.experiment import Experiment


@cache
def all_experiments() -> dict[str, Experiment]:
    """Every experiment by name, in the order of their names."""
    modules = (
        importlib.import_module(f"{experiments.__name__}.{module.name}")
        for module in pkgutil.iter_modules(experiments.__path__)
    )
    found = [module.EXPERIMENT for module in modules if hasattr(module, "EXPERIMENT")]
    return {experiment.name: experiment for experiment in sorted(found, key=lambda e: e.name)}


def experiment_called(name: str) -> Experiment:
    """The experiment called ``name``.

    Raises:
        UsageError: there is none; the remedy lists those there are.
    """
    try:
        return all_experiments()[name]
    except KeyError:
        known = ", ".join(all_experiments())
        raise UsageError(f"there is no experiment '{name}'", f"choose from {known}") from None
