"""``cnbench noise``: what this machine's results differ by, and what change they could find."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich import box
from rich.markup import escape
from rich.table import Table

from cnbench.analysis.spreads import Spread, spreads_of
from cnbench.cli import completion
from cnbench.cli.options import json_option
from cnbench.cli.wide_tables import console
from cnbench.core.errors import UsageError
from cnbench.core.units import FRACTION, format_quantity
from cnbench.store.runs import all_runs, readable, results_folder

_HEADINGS = (
    "experiment", "metric", "where", "cases", "runs", "within a run", "between set-ups",
    "between runs", "finds, 1 run a side", "3 runs a side",
)  # fmt: skip


@click.command("noise")
@click.argument(
    "experiments", nargs=-1, metavar="[EXPERIMENT]...", shell_complete=completion.experiments
)
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where the runs are, if not in the results."
)
@json_option
def command(experiments: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Show what runs in the results folder differ by: inside, between set-ups, between runs.

    Standard deviations, medians over the cases; and the change that would be found in four of five
    comparisons of one run a side, or three.

    \b
    Examples:
      cnbench noise
      cnbench noise service-routing
    """
    runs = [run for _, run in readable(all_runs(folder))]
    found = [s for s in spreads_of(runs) if not experiments or s.experiment in experiments]
    if not found:
        raise UsageError(
            f"there are no results to tell from in {folder or results_folder()}",
            "measure some: cnbench run --repeat 3",
        )
    if as_json:
        click.echo(json.dumps({"rows": [spread.as_json() for spread in found]}, indent=1))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading)
    for spread in found:
        table.add_row(*_cells(spread))
    out = console()
    out.print(table)
    if any(spread.find_one is None for spread in found):
        out.print("  unknown: three runs of one environment tell (cnbench run --repeat 3)")


def _cells(spread: Spread) -> list[str]:
    where = f"{spread.environment.lab} {spread.environment.clock} {spread.environment.kernel}"
    sizes = (
        spread.inside,
        spread.between_setups,
        spread.between_runs,
        spread.find_one,
        spread.find_three,
    )
    return [
        *(escape(text) for text in (spread.experiment, spread.metric.name, where)),
        str(spread.cases),
        str(spread.runs),
        *(_size(spread, size) for size in sizes),
    ]


def _size(spread: Spread, size: float | None) -> str:
    if size is None:
        return "unknown"
    return format_quantity(size, FRACTION if spread.metric.scale == "ratio" else spread.metric.unit)
