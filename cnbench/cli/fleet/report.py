"""``cnbench fleet report``: which of many nodes are odd."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from cnbench.cli.options import Quantity, json_option
from cnbench.cli.results.pages import check_page, page_options
from cnbench.core.errors import UsageError
from cnbench.core.run import Run
from cnbench.core.units import FRACTION
from cnbench.store import run_file
from cnbench.store.runs import all_runs, find_run, readable, results_folder


@click.command("report")
@click.argument("runs", nargs=-1, metavar="[RUN|FOLDER]...")
@page_options("reports/fleet.html")
@click.option(
    "--rate",
    type=Quantity(FRACTION, "a rate of false alarms"),
    default="0.1%",
    show_default=True,
    help="How many reports may name a node though all are alike.",
)
@click.option("--every-metric", is_flag=True, help="Not only the headline metric of each case.")
@json_option
def command(
    runs: tuple[str, ...],
    output: Path,
    force: bool,
    rate: float,
    every_metric: bool,
    as_json: bool,
) -> None:
    """Say which of many nodes are odd, and write a page: a line a node, and distributions.

    RUNS are run files or folders of them, gathered from the nodes; by default the results folder.
    What several odd nodes have in common that the others have not is told with them.

    \b
    Examples:
      cnbench fleet report gathered/
      cnbench fleet report gathered/ --json
      cnbench fleet report gathered/ --every-metric --rate 1% -o monday.html
    """
    if rate >= 1:
        raise UsageError("--rate is a share of the reports", "give one below 100%: --rate 0.1%")
    if not as_json:
        check_page(output, force=force)
    # Imported here: what it needs takes longer to import than a mistaken name to be found.
    from cnbench.analysis.fleet import words
    from cnbench.analysis.fleet.fleet import fleet_of
    from cnbench.cli.wide_tables import console

    fleet = fleet_of(_read(runs), rate=rate, every_metric=every_metric)
    if as_json:
        click.echo(json.dumps(fleet.as_json(), indent=1))
        return
    from cnbench.report import fleet as page

    page.write(fleet, output)
    out = console()
    for sentence in (*words.summary(fleet), words.caution(fleet)):
        if sentence:
            out.print(sentence, markup=False)
    click.echo(f"Wrote {output}")


def _read(named: Sequence[str]) -> Iterator[tuple[Path, Run]]:
    """The runs of files and of folders; what in a folder is no run is passed over, and named."""
    for name in named or (str(results_folder()),):
        if (folder := Path(name)).is_dir():
            yield from readable([path for each in _folders(folder) for path in all_runs(each)])
        else:
            yield (path := find_run(name)), run_file.read(path)


def _folders(folder: Path) -> list[Path]:
    """A folder and those in it: what is gathered from nodes is often in one each."""
    return [folder, *sorted(path for path in folder.rglob("[!.]*") if path.is_dir())]
