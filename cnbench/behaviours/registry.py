"""Finding behaviours: every module of a subject's folder that has a ``BEHAVIOUR`` is one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache

from cnbench import behaviours
from cnbench.behaviours.behaviour import Behaviour
from cnbench.core.errors import UsageError
from cnbench.core.imports.parts import parts_of
from cnbench.core.nearest import choose_from


def subjects() -> tuple[str, ...]:
    """The packages that behaviours are in, one a subject, in alphabetical order."""
    found = pkgutil.iter_modules(behaviours.__path__, f"{behaviours.__name__}.")
    return tuple(sorted(module.name for module in found if module.ispkg))


@cache
def all_behaviours() -> dict[str, Behaviour]:
    """Every behaviour by its name, subject by subject."""
    return {behaviour.name: behaviour for behaviour in _found()}


def _found() -> Iterator[Behaviour]:
    for subject in subjects():
        importlib.import_module(subject)
        yield from parts_of(subject, "BEHAVIOUR")


def called(names: Iterable[str]) -> list[Behaviour]:
    """The behaviours called ``names``, which may also be subjects; all where there is no name.

    Raises:
        UsageError: there is none of that name; the remedy lists those there are.
    """
    known = all_behaviours()
    found: dict[str, Behaviour] = {}
    for name in names:
        chosen = {
            full_name: known[full_name]
            for full_name in known
            if name in (full_name, full_name.partition(".")[0])
        }
        if not chosen:
            raise UsageError(f"there is no behaviour '{name}'", choose_from(name, tuple(known)))
        found |= chosen
    return list((found or known).values())
