"""Finding experiments: every module and folder of this package that has an ``EXPERIMENT`` is one.

It is called as its experiment, with underscores: one is found without importing the others, which
may need packages that a guest does not have. The parts of an experiment are in its folder, its
``grid.py`` among them. A folder without one is a family: ``cgroup/memory.py`` is ``cgroup-memory``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from cnbench import experiments
from cnbench.core.errors import UsageError
from cnbench.core.experiment import Experiment
from cnbench.core.nearest import choose_from


def _modules() -> dict[str, str]:
    """The module of each experiment by the experiment's name."""
    own = __name__.rpartition(".")[2]
    found: dict[str, str] = {}
    for folder in experiments.__path__:
        found.update(_modules_in(Path(folder), experiments.__name__))
    return {name: module for name, module in sorted(found.items()) if name != own}


def _modules_in(folder: Path, package: str, family: str = "") -> Iterator[tuple[str, str]]:
    for module in pkgutil.iter_modules([str(folder)]):
        name = family + module.name.replace("_", "-")
        path = f"{package}.{module.name}"
        if module.ispkg and not (folder / module.name / "grid.py").exists():
            yield from _modules_in(folder / module.name, path, f"{name}-")
        else:
            yield name, path


@cache
def names() -> tuple[str, ...]:
    """The names of all experiments, in alphabetical order."""
    return tuple(_modules())


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
    """The module of the experiment called ``name``; KeyError where there is none."""
    return _modules()[name]


def all_experiments() -> dict[str, Experiment]:
    """Every experiment by name."""
    return {name: experiment_called(name) for name in names()}


def unasked() -> tuple[str, ...]:
    """The names of those that are measured where none is named."""
    return tuple(name for name, found in all_experiments().items() if not found.asked_for)
