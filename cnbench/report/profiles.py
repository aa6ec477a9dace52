"""Profiles of an experiment's cases as a part of its section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cnbench.analysis.chapters import Chapter
from cnbench.analysis.profile.stacks import self_counts, stacks_in, total_counts
from cnbench.report.flames import flame_graph
from cnbench.store.profiles import Profile

_MOST_FUNCTIONS = 12


@dataclass(frozen=True)
class FunctionLine:
    """One function: what it executed itself, its share, and what with all that it called."""

    name: str
    own: str
    share: str
    total: str


@dataclass(frozen=True)
class ProfiledCase:
    """Where one case's instructions go, in words, in a table and as a flame graph."""

    case: str
    metric: str
    release: str
    figure: str
    explained: str
    lines: tuple[FunctionLine, ...]
    svg: Markup


def profiled_cases(chapter: Chapter, profiles: Sequence[Profile]) -> tuple[ProfiledCase, ...]:
    """Those of ``profiles`` that are of a case of the chapter, wherever that was measured."""
    return tuple(_found(chapter, profiles))


def _found(chapter: Chapter, profiles: Sequence[Profile]) -> Iterator[ProfiledCase]:
    labels = {entry.case.point: chapter.label(entry.case) for entry in chapter.measured}
    for profile in profiles:
        if profile.case.point in labels:
            yield _shown(labels[profile.case.point], profile)


def _shown(label: str, profile: Profile) -> ProfiledCase:
    stacks = stacks_in(profile)
    own, totals = self_counts(stacks), total_counts(stacks)
    return ProfiledCase(
        case=label,
        metric=profile.metric,
        release=profile.release,
        figure=f"{profile.figure:,.0f}",
        explained=f"{profile.explained:.2%}",
        lines=tuple(
            FunctionLine(name, f"{count:,}", f"{count / profile.counted:.1%}", f"{totals[name]:,}")
            for name, count in list(own.items())[:_MOST_FUNCTIONS]
        ),
        # Names are escaped where the graph is drawn.
        svg=Markup(flame_graph(stacks, f"{label}: {profile.metric} by function")),  # noqa: S704
    )
