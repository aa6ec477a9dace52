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
from cnbench.core.errors import UsageError
from cnbench.core.run import Run
from cnbench.store.output import check
from cnbench.store.runs import all_runs, readable, results_folder

_BEGIN = b"<title>cnbench \xc2\xb7 trend</title>"


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
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("reports/trend.html"),
    show_default=True,
    help="The file to write.",
)
@click.option("--force", is_flag=True, help="Replace what is there, even if it is no trend page.")
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
        check(output, "trend page", lambda begin: _BEGIN in begin, force=force)
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
    click.echo(f"Wrote {output}: {len(trends)} lines of {len(runs)} runs, {stepping} with steps")


def _runs(experiments: Iterable[str], last: int) -> Iterable[Run]:
    files = all_runs()[-last:]
    if not files:
        raise UsageError(
            f"there are no runs in {results_folder()}", "measure something: cnbench run"
        )
    for _, run in readable(files):
        if not experiments or set(experiments) & set(run.experiments):
            yield run
