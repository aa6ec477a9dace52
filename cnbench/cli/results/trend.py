"""``cnbench trend``: each case from run to run, as a page that opens offline."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click

from cnbench.analysis.choice import Choice
from cnbench.analysis.trend import trends_of
from cnbench.cli import completion
from cnbench.cli.options import json_option
from cnbench.cli.results.pages import check_page, page_options
from cnbench.core.run import Run
from cnbench.core.units import format_count
from cnbench.store.runs import readable, some_runs

_KIND = "trend page"


@click.command("trend")
@click.argument(
    "experiments", nargs=-1, metavar="[EXPERIMENT]...", shell_complete=completion.experiments
)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="This metric alone.")
@click.option(
    "--match",
    "pattern",
    default="",
    metavar="REGEX",
    help="Those cases alone whose line, as `EXPERIMENT NAME=VALUE ...`, has this in it.",
)
@click.option(
    "--last",
    type=click.IntRange(min=2),
    default=100,
    show_default=True,
    metavar="N",
    help="How many runs of the results folder.",
)
@page_options("reports/trend.html", _KIND)
@json_option
def command(
    experiments: tuple[str, ...],
    metrics: tuple[str, ...],
    pattern: str,
    last: int,
    output: Path,
    force: bool,
    as_json: bool,
) -> None:
    """Write one HTML file with each case's cost from run to run, and the steps in it.

    It needs nothing else: it opens offline. Runs of different environments make different lines.

    \b
    Examples:
      cnbench trend
      cnbench trend service-routing --metric connect --match mode=iptables
    """
    if not as_json:
        check_page(output, _KIND, force=force)
    runs = list(_runs(experiments, last))
    choice = Choice(metrics, pattern=pattern)
    choice.require(runs)
    found = trends_of(runs, choice)
    trends = [t for t in found if not experiments or t.rows[0].case.experiment in experiments]
    if as_json:
        click.echo(json.dumps([trend.as_json() for trend in trends], indent=1))
        return
    from cnbench.report import trend as page

    page.write(trends, output)
    stepping = sum(bool(trend.steps) for trend in trends)
    lines, of = format_count(len(trends), "line"), format_count(len(runs), "run")
    click.echo(f"Wrote {output}: {lines} of {of}, {stepping} with steps")


def _runs(experiments: Iterable[str], last: int) -> Iterable[Run]:
    for _, run in readable(some_runs()[-last:]):
        if not experiments or set(experiments) & set(run.experiments):
            yield run
