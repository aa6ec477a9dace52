"""The figures of each experiment: one module an experiment, found by its ``FIGURES``.

A module here that has a ``FIGURES`` adds the figures of one experiment. Any other experiment, and a
run file that lacks what the figures need (of an older cnbench, say), gets the generic ones. Where a
run measured more than one kernel, the cost by kernel release comes first.
"""

from __future__ import annotations

from functools import cache

from cnbench.analysis.chapters import Chapter
from cnbench.core.imports.parts import parts_of
from cnbench.report.plots import by_kernel, generic
from cnbench.report.plots.figures import Figures
from cnbench.report.svg import Panel


@cache
def all_figures() -> dict[str, Figures]:
    """The figures by the name of their experiment."""
    found: list[Figures] = list(parts_of(__name__, "FIGURES"))
    return {figures.experiment: figures for figures in found}


def panels_of(chapter: Chapter) -> list[Panel]:
    """The plots of a chapter; none where nothing was measured."""
    if not chapter.ok:
        return []
    figures = all_figures().get(chapter.name)
    if figures is None or not figures.can_show(chapter):
        return by_kernel.panels(chapter) + generic.panels(chapter)
    return by_kernel.panels(chapter) + figures.panels(chapter)
