"""Published figures beside ours: one module an experiment, found by its ``PUBLISHED``.

Somebody else measured these, on other machines; each names its source, and stands beside what a run
has of the same with the quotient of the two and a verdict on whether they may be compared at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from cnbench.analysis.chapters import Chapter
from cnbench.analysis.published.beside import Beside, beside
from cnbench.analysis.published.figure import Figure
from cnbench.core.imports.parts import parts_of

__all__ = ["Beside", "all_published", "beside_published"]


@cache
def all_published() -> tuple[Figure, ...]:
    """Every published figure, those of one experiment together."""
    found: list[tuple[Figure, ...]] = list(parts_of(__name__, "PUBLISHED"))
    return tuple(figure for figures in found for figure in figures)


def beside_published(chapters: Sequence[Chapter]) -> list[Beside]:
    """Ours beside each published figure that the chapters have something to say about."""
    return [
        found
        for chapter in chapters
        for figure in all_published()
        if figure.experiment == chapter.name
        for found in beside(figure, chapter)
    ]
