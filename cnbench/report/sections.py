"""One experiment's part of the page: its plots, all its figures, its proofs and its environment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cnbench.analysis.chapters import Chapter, ChapterEntry
from cnbench.analysis.number_format import interval_text, median_text, noise_text
from cnbench.analysis.published import Beside, beside_published
from cnbench.core.metric import Metric
from cnbench.core.proof import Check
from cnbench.report.plots import panels_of
from cnbench.report.profiles import ProfiledCase, profiled_cases
from cnbench.report.raw import RawCase, raw_cases
from cnbench.report.summary import case_and_place
from cnbench.report.svg import Panel, inline
from cnbench.store.profiles import Profile

# With their intervals, and some parameters, that is what 1,280 pixels hold.
_METRICS_BESIDE = 5


@dataclass(frozen=True)
class Picture:
    """A plot and the text around it."""

    panel: Panel
    svg: Markup


@dataclass(frozen=True)
class FigureCell:
    """One metric of one case."""

    median: str
    interval: str
    noise: str


@dataclass(frozen=True)
class TableLine:
    """One case with all its metrics."""

    params: tuple[str, ...]
    origin: str
    cells: tuple[FigureCell | None, ...]
    blocks: int
    stopped: str


@dataclass(frozen=True)
class Table:
    """Some metrics of the cases of one kind; ``apart`` is what the other kinds do not share."""

    apart: str
    metrics: tuple[Metric, ...]
    parameters: tuple[str, ...]
    has_origins: bool
    lines: tuple[TableLine, ...]


@dataclass(frozen=True)
class ProofLine:
    """The checks of one case."""

    case: str
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Setting:
    """One thing of the environments: a value for each, and whether they differ in it."""

    name: str
    values: tuple[str, ...]
    differs: bool


@dataclass(frozen=True)
class Section:
    """All that the page says about one experiment."""

    anchor: str
    name: str
    question: str
    caveat: str
    constant: dict[str, str]
    pictures: tuple[Picture, ...]
    tables: tuple[Table, ...]
    published: tuple[Beside, ...]
    proofs: tuple[ProofLine, ...]
    environments: tuple[str, ...]
    settings: dict[str, list[Setting]]
    raw: tuple[RawCase, ...]
    profiles: tuple[ProfiledCase, ...]
    missing: int


def section_of(chapter: Chapter, number: int, profiles: Sequence[Profile] = ()) -> Section:
    """The section of a chapter, the ``number``-th of the page, with ``profiles`` of its cases."""
    anchor = f"experiment-{number}"
    digests = list(dict.fromkeys(place.environment for place in chapter.origins))
    return Section(
        anchor=anchor,
        name=chapter.name,
        question=chapter.record.question,
        caveat=chapter.record.caveat,
        constant=chapter.constant,
        pictures=tuple(
            Picture(panel, inline(panel, f"f{number}-{index}"))
            for index, panel in enumerate(panels_of(chapter))
        ),
        tables=tuple(_tables(chapter)),
        published=tuple(beside_published([chapter])),
        proofs=tuple(_proofs(chapter)),
        environments=tuple(
            f"{_where(chapter, digest)} {digest or 'not recorded'}".strip() for digest in digests
        ),
        settings=_settings(chapter, digests),
        raw=tuple(raw_cases(chapter)),
        profiles=profiled_cases(chapter, profiles),
        missing=len(chapter.measured) - len(chapter.ok),
    )


def _tables(chapter: Chapter) -> Iterable[Table]:
    """All figures, kind by kind; no more metrics beside each other than a screen is wide."""
    for kind in chapter.kinds():
        metrics = kind.record.metrics
        for first in range(0, len(metrics), _METRICS_BESIDE):
            shown = metrics[first : first + _METRICS_BESIDE]
            yield Table(
                chapter.what_sets_apart(kind),
                shown,
                tuple(kind.varying),
                len(kind.origins) > 1,
                tuple(_line(kind, entry, shown) for entry in kind.ok),
            )


def _line(chapter: Chapter, entry: ChapterEntry, metrics: Sequence[Metric]) -> TableLine:
    rows = [entry.row(metric.name) for metric in metrics]
    return TableLine(
        params=tuple(chapter.show(n, entry.case.params.get(n)) for n in chapter.varying),
        origin=chapter.origin_label(entry.origin),
        cells=tuple(
            FigureCell(median_text(row), interval_text(row), noise_text(row)) if row else None
            for row in rows
        ),
        blocks=max((row.blocks for row in rows if row), default=0),
        stopped=entry.result.stopped,
    )


def _proofs(chapter: Chapter) -> Iterable[ProofLine]:
    for entry in chapter.measured:
        if entry.result.proof.checks:
            yield ProofLine(case_and_place(chapter, entry), entry.result.proof.checks)


def _where(chapter: Chapter, digest: str) -> str:
    labels = [chapter.origin_label(p) for p in chapter.origins if p.environment == digest]
    return ", ".join(label for label in labels if label)


def _settings(chapter: Chapter, digests: list[str]) -> dict[str, list[Setting]]:
    """The environments side by side, area by area; what differs comes first."""
    known = [chapter.environments.get(digest) for digest in digests]
    areas: dict[str, list[dict[str, str]]] = {
        "where": [
            {"kernel": e.kernel, "lab": e.lab, "clock": e.clock, "guest image": e.image}
            if e
            else {}
            for e in known
        ],
        "machine": [dict(e.machine) if e else {} for e in known],
        "behaviour": [dict(e.behaviour) if e else {} for e in known],
        "tools": [dict(e.tools) if e else {} for e in known],
    }
    return {area: _side_by_side(found) for area, found in areas.items()}


def _side_by_side(found: list[dict[str, str]]) -> list[Setting]:
    settings = [
        Setting(name, values, len(set(values)) > 1)
        for name in dict.fromkeys(name for facts in found for name in facts)
        if any(values := tuple(facts.get(name, "") for facts in found))
    ]
    return sorted(settings, key=lambda setting: not setting.differs)
