"""``cnbench baseline``: runs that have been given a name, to compare later ones with."""

from __future__ import annotations

import json
from typing import Any

import click

from cnbench.cli import completion
from cnbench.cli.options import json_option
from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.core.run import Run
from cnbench.store import baselines
from cnbench.store.runs import all_baselines, baselines_folder, readable


@click.group("baseline")
def command() -> None:
    """Runs that have a name: copies beside the folder of runs, which stay when that is tidied up.

    Wherever a command takes a run it takes the name of a baseline.

    \b
    Examples:
      cnbench baseline save main
      cnbench compare main latest --fail-on 2%
    """


@command.command("save")
@click.argument("name", shell_complete=completion.baselines)
@click.argument("run", default="latest", shell_complete=completion.runs)
def save(name: str, run: str) -> None:
    """Call RUN (by default the latest) NAME; an earlier baseline of that name is replaced.

    \b
    Examples:
      cnbench baseline save main
      cnbench baseline save v1.2 before.jsonl
    """
    source, place = baselines.save(name, run)
    click.echo(f"{name} is {source}, kept in {place}", err=True)


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """What is called what."""
    found = [_about(path.stem, run) for path, run in readable(all_baselines())]
    if as_json:
        click.echo(json.dumps(found, indent=1))
    elif found:
        columns = [
            Column(heading, tuple(str(about[heading]) for about in found)) for heading in found[0]
        ]
        print_table(console(), columns)
    else:
        click.echo(f"There is none in {baselines_folder()}: cnbench baseline save main")


@command.command("remove")
@click.argument(
    "names", nargs=-1, required=True, metavar="NAME...", shell_complete=completion.baselines
)
def remove(names: tuple[str, ...]) -> None:
    """Remove baselines; the runs that they were made of stay."""
    for name in names:
        click.echo(f"removed {baselines.remove(name)}", err=True)


def _about(name: str, run: Run) -> dict[str, Any]:
    return {
        "baseline": name,
        "run": run.id,
        "cases": len(run.cases),
        "experiments": ", ".join(run.experiments),
    }
