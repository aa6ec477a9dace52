"""A run's results beside published figures, as a table in a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
from rich.markup import escape

from cnbench.analysis.chapters import chapters_of
from cnbench.analysis.published import Beside, beside_published
from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.core.run import Run


def show_beside_published(run: Run, path: Path, *, as_json: bool) -> None:
    """Print what the run has beside published figures, as a table or as one JSON object."""
    found = beside_published(chapters_of([run]))
    if as_json:
        rows = [beside.as_json() for beside in found]
        click.echo(json.dumps({"run": run.id, "file": str(path), "rows": rows}, indent=1))
        return
    out = console()
    if not found:
        out.print("No published figure is about what this run measured.")
        return
    print_table(out, _columns(found))
    out.print(f"run [bold]{run.id}[/] in {escape(str(path))}")


def _columns(found: list[Beside]) -> list[Column]:
    def column(heading: str, show: Callable[[Beside], str], **what: bool) -> Column:
        return Column(heading, tuple(map(show, found)), **what)

    return [
        column("experiment", lambda beside: beside.figure.experiment, telling=True),
        column("what", _what, telling=True, sentences=True),
        column("published", lambda beside: beside.published_text, right=True),
        column("ours, 95 % interval", _ours, right=True),
        column("ours / published", lambda beside: beside.ratio_text, right=True),
        column("comparable?", _comparable, sentences=True),
    ]


def _what(beside: Beside) -> str:
    return f"{escape(beside.figure.what)}\n[dim]{escape(beside.figure.source)}[/]"


def _ours(beside: Beside) -> str:
    setting = f"\n[dim]{escape(beside.ours.setting)}[/]" if beside.ours.setting else ""
    return f"{beside.ours_text}  [dim]{beside.interval_text}[/]{setting}"


def _comparable(beside: Beside) -> str:
    reasons = "; ".join(beside.comparability.reasons)
    return beside.comparability.verdict.value + (f"\n[dim]{escape(reasons)}[/]" if reasons else "")
