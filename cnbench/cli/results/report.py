"""``cnbench report``: write the HTML report."""

from __future__ import annotations

from pathlib import Path

import click

from cnbench.cli import completion
from cnbench.cli.results.pages import check_page, page_options
from cnbench.store import behaviour_tables, profiles, run_file
from cnbench.store.runs import find_run


@click.command("report")
@click.argument("runs", nargs=-1, shell_complete=completion.runs)
@page_options("reports/index.html")
def command(runs: tuple[str, ...], output: Path, force: bool) -> None:
    """Write one HTML file with tables and plots of RUNS (by default the latest).

    It needs nothing else: it opens offline, and can be sent by mail.

    \b
    Examples:
      cnbench report
      cnbench report latest~1 latest -o both.html
    """
    check_page(output, force=force)
    read = [run_file.read(find_run(name)) for name in runs or ("latest",)]
    # Imported here: matplotlib takes longer to import than a mistaken name to be found.
    from cnbench.report import html

    behaviours = behaviour_tables.read(behaviour_tables.tables_file())
    html.write(read, output, behaviours, profiles.kept())
    click.echo(f"Wrote {output}")
