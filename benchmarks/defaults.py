"""A class for every experiment that has none of its own here: its variants, its headline metric.

So an experiment is in asv's reach as soon as it is there. What deserves more (further axes and
metrics, quicker fixed values) gets a class in a module of its own, which replaces this one.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from cnbench.asv.suite import Measured, Suite, tracked
from cnbench.core.experiment import Experiment
from cnbench.experiments.registry import all_experiments

_SECONDS = 300


def default_suite(experiment: Experiment) -> type[Suite]:
    """Each variant of ``experiment``'s first quick point, counted where it says that it may be."""
    texts = (experiment.show(point)[experiment.variant] for point in experiment.grid(False, {}))
    headline = experiment.metrics[0].name
    attributes = {
        "__doc__": experiment.question,
        "__module__": __name__,
        "experiment": experiment.name,
        "counted": experiment.counted,
        "axes": {experiment.variant: tuple(dict.fromkeys(texts))},
        "setup_cache": _setup_cache(experiment.name),
        f"track_{headline}": tracked(experiment.name, headline),
    }
    return type(_class_name(experiment.name), (Suite,), attributes)


def _setup_cache(name: str) -> Callable[[Any], Measured]:
    """A method of its own for each class.

    asv tells caches apart by the module and the line of their method (asv_runner 0.3.2,
    ``get_setup_cache_key``). All of these have one line, so each says that it is of another module,
    which must be known by that name.
    """

    def setup_cache(self: Suite) -> Measured:
        return self.measured()

    home = f"{__name__}.{_class_name(name)}"
    sys.modules.setdefault(home, ModuleType(home))
    setup_cache.__module__ = home
    setup_cache.timeout = _SECONDS  # type: ignore[attr-defined]
    return setup_cache


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _written_here() -> set[str]:
    """The experiments that have a class in one of the modules beside this one."""
    beside = pkgutil.iter_modules([str(Path(__file__).parent)])
    others = {module.name for module in beside} - {"defaults"}
    modules = [importlib.import_module(f"{__package__}.{name}") for name in sorted(others)]
    return {
        thing.experiment
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Suite) and thing is not Suite
    }


for _experiment in all_experiments().values():
    if _experiment.name not in _written_here():
        globals()[_class_name(_experiment.name)] = default_suite(_experiment)
