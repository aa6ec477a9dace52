"""Finding experiments: every module and folder of this package that has an ``EXPERIMENT`` is one.

It is called as its experiment, with underscores: one is found without importing the others, which
may need packages that a guest does not have. The parts of an experiment are in its folder.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from cnbench import experiments
from cnbench.core.errors import UsageError
from cnbench.core.experiment import Experiment
from cnbench.core.nearest import choose_from


@cache
def names() -> tuple[str, ...]:
    """The names of all experiments, in alphabetical order."""
    modules = {module.name for module in pkgutil.iter_modules(experiments.__path__)}
    modules.discard(__name__.rpartition(".")[2])
    return tuple(sorted(module.replace("_", "-") for module in modules))


@cache
def experiment_called(name: str) -> Experiment:
    """The experiment called ``name``.

    Raises:
        UsageError: there is none; the remedy lists those there are.
    """
    if name not in names():
        raise UsageError(f"there is no experiment '{name}'", choose_from(name, names()))
    module = importlib.import_module(module_of(name))
    experiment: Experiment = module.EXPERIMENT
    return experiment


def module_of(name: str) -> str:
    """The module of the experiment called ``name``."""
    return f"{experiments.__name__}.{name.replace('-', '_')}"


def all_experiments() -> dict[str, Experiment]:
    """Every experiment by name."""
    return {name: experiment_called(name) for name in names()}
