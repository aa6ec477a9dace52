"""A run as tables of GitHub's Markdown: a table an experiment, a line a metric of a case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnbench.analysis.chapters import Chapter, ChapterEntry, chapters_of
from cnbench.analysis.number_format import interval_text, median_text, noise_text
from cnbench.analysis.rows import Row
from cnbench.core.run import Run
from cnbench.export.markdown import plain, table

BEGINS: bytes | None = b"# cnbench run "
BINARY = False

_FIGURES = ("metric", "median", "95 % interval", "noise floor", "blocks")


def exported(run: Run) -> tuple[bytes, list[str]]:
    """See ``export.Format``."""
    lines = [f"# cnbench run {plain(run.id)}", ""]
    for environment in run.fingerprints.values():
        cpu = environment.machine.get("cpu", "unknown CPU")
        lines.append(f"- Linux {plain(environment.kernel)}, {plain(cpu)}")
    for chapter in chapters_of([run]):
        lines += ["", f"## {plain(chapter.name)}", "", plain(chapter.record.question), ""]
        lines += _table(chapter)
    return ("\n".join(lines) + "\n").encode("utf-8", errors="replace"), []


def _table(chapter: Chapter) -> Iterator[str]:
    shown = [(entry, row) for entry in chapter.ok for row in entry.rows if row.interval]
    if shown:
        several = len(chapter.origins) > 1
        head = [*chapter.varying, *(["measured on"] if several else []), *_FIGURES]
        yield from table(
            head, (_cells(chapter, entry, row, several=several) for entry, row in shown)
        )
        yield ""
    for entry in chapter.measured:
        if entry.result.status != "ok":
            told = f"{chapter.label(entry.case)}: {entry.result.status}, {entry.result.reason}"
            yield f"- {plain(told)}"


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
