"""The report: runs as one HTML file that opens anywhere, without a network or a script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cnbench.analysis.answers import answers_of, claims_of
from cnbench.analysis.chapters import chapters_of
from cnbench.analysis.run_pairs import pairs_of
from cnbench.behaviours.table import Table
from cnbench.core.errors import UsageError
from cnbench.core.run import Run
from cnbench.report.behaviours import behaviours_of
from cnbench.report.filled import filled
from cnbench.report.page_head import heads_of, totals_of
from cnbench.report.sections import section_of
from cnbench.report.summary import overviews_of, troubles_of
from cnbench.store import whole_file
from cnbench.store.profiles import Profile

_NOBODY_ASKED = Table(())


def render(
    runs: Sequence[Run],
    behaviours: Table = _NOBODY_ASKED,
    profiles: Sequence[Profile] = (),
) -> str:
    """The report on ``runs`` as an HTML page; equal runs give equal pages, byte for byte.

    With a section on ``behaviours``, where kernels were asked, and ``profiles`` beside their cases.

    Raises:
        UsageError: there are no runs.
    """
    if not runs:
        raise UsageError("there is no run to report on", "measure something: cnbench run")
    chapters = chapters_of(runs)
    return filled(
        "report.html.j2",
        heads=heads_of(runs),
        answers=answers_of(chapters),
        claims=claims_of(chapters),
        totals=totals_of(runs),
        overviews=[overview for chapter in chapters for overview in overviews_of(chapter)],
        troubles=troubles_of(chapters),
        sections=[section_of(chapter, number, profiles) for number, chapter in enumerate(chapters)],
        pairs=pairs_of(runs),
        behaviours=behaviours_of(behaviours),
    )


def write(
    runs: Sequence[Run],
    path: Path,
    behaviours: Table = _NOBODY_ASKED,
    profiles: Sequence[Profile] = (),
) -> None:
    """Write the report on ``runs`` to ``path`` in one step; its folder is made if need be.

    Raises:
        UsageError: there are no runs, or it could not be written (a full disk, a read-only
            folder); what was in ``path`` before is still there.
    """
    # A character that no encoding has (half a surrogate pair) must not cost the report.
    page = render(runs, behaviours, profiles).encode("utf-8", errors="replace")
    whole_file.write(path, page, "the report")
