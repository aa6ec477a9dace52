"""A run's results beside published figures, as a table in a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich import box
from rich.markup import escape
from rich.table import Table

from cnbench.analysis.chapters import chapters_of
from cnbench.analysis.published import Beside, beside_published
from cnbench.cli.tables import console
from cnbench.core.run import Run

_FIGURES = ("published", "ours, 95 % interval", "ours / published")


def show_beside_published(run: Run, path: Path, *, as_json: bool) -> None:
    """Print what the run has beside published figures, as a table or as one JSON object."""
    found = beside_published(chapters_of([run]))
    if as_json:
        rows = [one.as_json() for one in found]
        click.echo(json.dumps({"run": run.id, "file": str(path), "rows": rows}, indent=1))
        return
    out = console()
    if not found:
        out.print("No published figure is about what this run measured.")
        return
    out.print(_table(found))
    out.print(f"run [bold]{run.id}[/] in {escape(str(path))}")


def _table(found: list[Beside]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("experiment", "what", *_FIGURES, "comparable?"):
        table.add_column(heading, justify="right" if heading in _FIGURES else "left")
    for one in found:
        table.add_row(*_cells(one))
    return table


def _cells(one: Beside) -> list[str]:
    reasons = "; ".join(one.comparability.reasons)
    return [
        one.figure.experiment,
        f"{escape(one.figure.what)}\n[dim]{escape(one.figure.source)}[/]",
        one.published_text,
        f"{one.ours_text}  [dim]{one.interval_text}[/]"
        + (f"\n[dim]{escape(one.ours.setting)}[/]" if one.ours.setting else ""),
        one.ratio_text,
        one.comparability.verdict.value + (f"\n[dim]{escape(reasons)}[/]" if reasons else ""),
    ]
