"""Published figures beside ours: one module an experiment, found by its ``PUBLISHED``.

Somebody else measured these, on other machines; each names its source, and stands beside what a run
has of the same with the quotient of the two and a verdict on whether they may be compared at all.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from functools import cache

from cnbench.analysis.chapters import Chapter
from cnbench.analysis.published.beside import Beside, beside
from cnbench.analysis.published.figure import Figure

__all__ = ["Beside", "all_published", "beside_published"]


@cache
def all_published() -> tuple[Figure, ...]:
    """Every published figure, those of one experiment together."""
    return tuple(_found())


def beside_published(chapters: Sequence[Chapter]) -> list[Beside]:
    """Ours beside each published figure that the chapters have something to say about."""
    return [
        one
        for chapter in chapters
        for figure in all_published()
        if figure.experiment == chapter.name
        for one in beside(figure, chapter)
    ]


def _found() -> Iterator[Figure]:
    for module in pkgutil.iter_modules(__path__):
        yield from getattr(importlib.import_module(f"{__name__}.{module.name}"), "PUBLISHED", ())
