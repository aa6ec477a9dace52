"""``cnbench show``: a run as answers, and as tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape

from cnbench.analysis.answers import Finding, answers_of
from cnbench.analysis.chapters import chapters_of
from cnbench.analysis.rows import rows_of
from cnbench.cli import completion
from cnbench.cli.options import json_option
from cnbench.cli.results.answers_text import print_answers
from cnbench.cli.results.published_table import show_beside_published
from cnbench.cli.tables import print_run
from cnbench.cli.wide_tables import console
from cnbench.core.run import Run
from cnbench.core.units import format_count
from cnbench.store import run_file
from cnbench.store.runs import find_run, results_folder


@click.command("show")
@click.argument("run", default="latest", shell_complete=completion.runs)
@click.option("--all", "everything", is_flag=True, help="All tables after the answers.")
@click.option("--published", is_flag=True, help="Beside what others have published instead.")
@json_option
def command(run: str, everything: bool, published: bool, as_json: bool) -> None:
    """Show what a run answers. RUN is a file, an id, `latest` (the default) or `latest~1`.

    Tables follow where the run is of one experiment or answers nothing, and with --all.

    \b
    Examples:
      cnbench show
      cnbench show --all
      cnbench show latest~1 --json
      cnbench show --published
    """
    path = find_run(run)
    if published:
        show_beside_published(run_file.read(path), path, as_json=as_json)
    else:
        show_run(run_file.read(path), path, as_json=as_json, everything=everything)


def show_run(
    run: Run, path: Path, *, as_json: bool, everything: bool = False, **more: object
) -> None:
    """Print a run on stdout: its answers and (``everything``) all tables, or one JSON object.

    The object has what is ``more``, too.
    """
    answers = answers_of(chapters_of([run]))
    if not as_json:
        _print(run, path, answers, everything)
        return
    rows = rows_of(run)
    found = {
        "run": run.id,
        "file": str(path),
        "started": run.started,
        "finished": run.finished,
        "environments": {
            digest: asdict(environment) for digest, environment in run.fingerprints.items()
        },
        "answers": [finding.as_json() for finding in answers],
        "rows": [row.as_json() for row in rows],
        **more,
    }
    click.echo(json.dumps(found, indent=1))


def _print(run: Run, path: Path, answers: Sequence[Finding], everything: bool) -> None:
    out = console()
    if answers:
        print_answers(out, answers)
        out.print()
    experiments = {result.case.experiment for result in run.cases}
    if everything or not answers or len(experiments) == 1:
        print_run(run, rows_of(run), path)
        return
    failed = sum(result.status == "failed" for result in run.cases)
    asked_for = escape(run.id if path.parent == results_folder() else str(path))
    for line in (
        f"{format_count(len(run.cases), 'case')} of {format_count(len(experiments), 'experiment')}"
        + (f", [red]{failed} failed[/]" if failed else ""),
        f"run [bold]{run.id}[/] in {escape(str(path))}",
        f"all tables:           cnbench show {asked_for} --all",
        f"what everybody says:  cnbench claims {asked_for}",
    ):
        out.print(line, soft_wrap=True)
