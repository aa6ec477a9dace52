"""A run as tables of GitHub's Markdown: a table an experiment, a line a metric of a case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from cnbench.analysis.chapters import Chapter, ChapterEntry, chapters_of
from cnbench.analysis.number_format import interval_text, median_text, noise_text
from cnbench.analysis.rows import Row
from cnbench.core.run import Run

BEGINS: bytes | None = b"# cnbench run "
BINARY = False

_FIGURES = ("metric", "median", "95 % interval", "noise floor", "blocks")
# What Markdown or HTML in it would take for its own (CommonMark 0.31, section 2.4).
_MEANT = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


def exported(run: Run) -> tuple[bytes, list[str]]:
    """See ``export.Format``."""
    lines = [f"# cnbench run {_plain(run.id)}", ""]
    for environment in run.fingerprints.values():
        cpu = environment.machine.get("cpu", "unknown CPU")
        lines.append(f"- Linux {_plain(environment.kernel)}, {_plain(cpu)}")
    for chapter in chapters_of([run]):
        lines += ["", f"## {_plain(chapter.name)}", "", _plain(chapter.record.question), ""]
        lines += _table(chapter)
    return ("\n".join(lines) + "\n").encode("utf-8", errors="replace"), []


def _table(chapter: Chapter) -> Iterator[str]:
    shown = [(entry, row) for entry in chapter.ok for row in entry.rows if row.interval]
    if shown:
        several = len(chapter.origins) > 1
        head = [*chapter.varying, *(["measured on"] if several else []), *_FIGURES]
        yield _line(head)
        yield "|" + "---|" * len(head)
        for entry, row in shown:
            yield _line(_cells(chapter, entry, row, several=several))
        yield ""
    for entry in chapter.measured:
        if entry.result.status != "ok":
            told = f"{chapter.label(entry.case)}: {entry.result.status}, {entry.result.reason}"
            yield f"- {_plain(told)}"


def _cells(chapter: Chapter, entry: ChapterEntry, row: Row, *, several: bool) -> Sequence[str]:
    return [
        *(chapter.show(name, entry.case.params.get(name)) for name in chapter.varying),
        *([chapter.origin_label(entry.origin)] if several else []),
        row.metric.name,
        median_text(row),
        interval_text(row),
        noise_text(row),
        str(row.blocks),
    ]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(map(_plain, cells)) + " |"


def _plain(text: str) -> str:
    """``text`` as it is, in one line."""
    return _MEANT.sub(r"\\\1", " ".join(text.split()))
